// Takes parts of the page anew from the server, which alone knows how to draw them.

/** Replaces what is inside the elements that the selectors find by the server's present state of it, attributes included. */
export async function refresh(...selectors) {
  const fresh = await load();
  for (const selector of selectors) {
    const [old, replacement] = [document.querySelector(selector), fresh?.querySelector(selector)];
    if (!old || !replacement) continue;
    old.replaceChildren(...document.importNode(replacement, true).childNodes);
    for (const { name, value } of replacement.attributes) old.setAttribute(name, value);
  }
}

async function load() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null; // the console is away; the live dot says so
  }
}
