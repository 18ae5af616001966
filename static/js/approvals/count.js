// How many actions wait: in the title, on the rail and on the tab.

/** Shows the queue's length. A queue that is one page of several, or one environment's, can't tell it. */
export function showCount(queue) {
  if ("more" in queue.dataset || queue.dataset.environment) return;
  const count = queue.querySelectorAll("[data-id]").length;
  document.title = (count ? `(${count}) ` : "") + document.title.replace(/^\(\d+\+?\) /, "");
  for (const mark of document.querySelectorAll("[data-pending]")) {
    mark.hidden = !count;
    mark.querySelector("span").textContent = count;
  }
}
