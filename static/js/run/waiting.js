// The permalink of a request of which nothing has come yet: looks again until its first run shows up, and goes there.

const LONGEST_WAIT_MS = 5000;
const sentence = document.getElementById("waiting-sentence");
let wait = 500;

async function look() {
  const answer = await fetch(location.href, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
  const { runs } = await answer.json();
  if (!runs.length) return false;
  location.replace(runs.length === 1 ? runs[0].url : location.href);
  return true;
}

async function lookAgain() {
  try {
    if (document.visibilityState === "visible" && (await look())) return;
    sentence.textContent = "This page goes to its first run as soon as something of it arrives.";
  } catch (error) {
    sentence.textContent = `The console can't be asked right now (${error.message}). Trying again.`;
  }
  wait = Math.min(wait * 1.3, LONGEST_WAIT_MS);
  setTimeout(lookAgain, wait);
}

lookAgain();
