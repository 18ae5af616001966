// What the page shows is in its address: `?tab=`, and `?span=` or `?event=` for the drawer.

const TABS = ["timeline", "tokens", "agents"];

/** @returns {{tab: string, span: string|null, event: string|null}} */
export function here() {
  const query = new URLSearchParams(location.search);
  const tab = TABS.includes(query.get("tab")) ? query.get("tab") : TABS[0];
  return { tab, span: query.get("span"), event: query.get("span") ? null : query.get("event") };
}

/** The address of this run with some of that changed: `hrefOf({span: "…"})`. What the drawer shows is one thing at a time. */
export function hrefOf(changes) {
  const { tab, span, event } = { ...here(), ...(changes.span || changes.event ? { span: null, event: null } : {}), ...changes };
  const query = new URLSearchParams();
  if (tab !== TABS[0]) query.set("tab", tab);
  if (span) query.set("span", span);
  else if (event) query.set("event", event);
  return `${location.pathname}${query.size ? `?${query}` : ""}`;
}
