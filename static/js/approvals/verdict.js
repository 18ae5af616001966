// The form of a verdict: Approve stays locked until every folded value was opened, Reject wants its reason.
// The server checks both again.
import { announce } from "../announce.js";

/** Watches the form, its folds and its buttons. */
export function bindVerdict(form) {
  const approve = form?.querySelector("[data-approve]");
  if (!approve) return;
  const boxes = [...document.querySelectorAll('input[name="opened"][form="verdict"]')];
  const agree = () => {
    const left = boxes.filter((box) => !box.checked).length;
    approve.disabled = left > 0;
    form.querySelector("#unread").hidden = !left;
    form.querySelector("#unread").textContent = left === 1 ? "One part is not read yet." : `${left} parts are not read yet.`;
  };
  for (const box of boxes) box.addEventListener("change", agree);
  for (const fold of document.querySelectorAll("details[data-fold]")) {
    fold.addEventListener("toggle", () => {
      if (!fold.open) return;
      fold.querySelector('input[name="opened"]').checked = true;
      agree();
    });
  }
  agree();
  const note = form.querySelector("textarea[name=note]");
  approve.addEventListener("click", () => (note.required = false));
  form.querySelector("[data-reject]").addEventListener("click", () => (note.required = true));
}

/** `a` goes to what approving still takes and never approves by itself; `r` goes to the reason. Whether the key was one of them. */
export function onVerdictKey(key) {
  const form = document.getElementById("verdict");
  const approve = form?.querySelector("[data-approve]");
  if (!approve) return false;
  if (key === "a") goToApprove(form, approve);
  else if (key === "r") goTo(form.querySelector("textarea[name=note]"), "Say why, then Reject");
  else return false;
  return true;
}

function goToApprove(form, approve) {
  const unread = document.querySelector('details[data-fold]:not([open]) summary, .open-all input:not(:checked)');
  const password = form.querySelector("input[type=password]");
  if (approve.disabled && unread) goTo(unread, "Open this first");
  else if (password && !password.value) goTo(password, "Your password, then Enter approves");
  else goTo(approve, "Enter approves");
}

function goTo(element, sentence) {
  element.focus();
  element.scrollIntoView({ block: "center" });
  announce(sentence);
}
