// The page's live socket: subscriptions that survive everything, and an honest word about how live they are.
// The wire protocol is in docs/architecture.md, "Live".
import { showState } from "./live-dot.js";

const FIRST_RETRY_MS = 300;
const RETRY_MAX_MS = 15000;
const RESTART_SPREAD_MS = 2000;
const PING_AFTER_MS = 15000;
const PONG_WITHIN_MS = 4000;
const OPEN_WITHIN_MS = 10000;
const OFFLINE_AFTER_MS = 2000;
const ASLEEP_MS = 5000;
const ACK_BYTES = 64 * 1024;
const BEAT_MS = 1000;
const RELOAD_AT_MOST_EVERY_MS = 60000;
const LOAD_ANEW = new Set(["bad_cursor", "cursor_too_old", "not_found"]);
const CLOSED = { restart: 1012, signedOut: 4401, forbidden: 4403 };

let shared = null;

/**
 * Calls `onFrame(frame)` with everything of `topic` after the cursor `after`, once and in order, for as long as the page lives.
 * `onState(state)` hears `{name: "live" | "catching up" | "offline", since}`. Returns a function that unsubscribes.
 */
export function subscribe(topic, options) {
  shared ??= new Live({ onState: showState });
  return shared.subscribe(topic, options);
}

/** One socket with any number of topics. */
export class Live {
  #url;
  #onState;
  #topics = new Map();
  #socket = null;
  #state = { name: "catching up", since: new Date() };
  #failures = 0;
  #retry = 0;
  #received = 0;
  #acked = 0;
  #unackedBytes = 0;
  #heardAt = 0;
  #pingedAt = 0; // or opened, as long as no answer has come
  #awaySince = Date.now();
  #beatAt = Date.now();

  constructor({ url = `${location.origin.replace(/^http/, "ws")}/ws/live`, onState = () => {} } = {}) {
    this.#url = url;
    this.#onState = onState;
    setInterval(() => this.#beat(), BEAT_MS);
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#ping());
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    // An open socket keeps the page out of the browser's back/forward cache.
    addEventListener("pagehide", () => this.#drop());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
  }

  subscribe(topic, { after, onFrame, onState = () => {} }) {
    this.#topics.set(topic, { after, onFrame, onState, isLive: false });
    if (this.#isOpen) this.#send({ subscribe: topic, after });
    else if (!this.#socket && !this.#retry) this.#connect();
    this.#tell();
    return () => {
      this.#topics.delete(topic);
      if (this.#isOpen) this.#send({ unsubscribe: topic });
      this.#tell();
    };
  }

  get #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#received = this.#acked = this.#unackedBytes = 0;
    this.#pingedAt = Date.now();
    const ifCurrent = (handle) => (event) => socket === this.#socket && handle(event);
    socket.onopen = ifCurrent(() => {
      this.#heard();
      for (const [topic, { after }] of this.#topics) this.#send({ subscribe: topic, after });
    });
    socket.onmessage = ifCurrent(({ data }) => this.#receive(data));
    socket.onclose = ifCurrent(({ code }) => this.#lost(code));
  }

  #receive(text) {
    this.#heard();
    const message = JSON.parse(text);
    if (!message.topic) return;
    this.#awaySince = 0;
    this.#received += 1;
    this.#unackedBytes += text.length;
    const subscription = this.#topics.get(message.topic);
    if (subscription) this.#deliver(subscription, message);
    // A hidden page's clock may stand still for a minute: it acknowledges at once.
    if (this.#unackedBytes >= ACK_BYTES || document.visibilityState === "hidden") this.#ack();
  }

  #deliver(subscription, message) {
    if (message.error) {
      subscription.isLive = false;
      this.#tell();
      if (LOAD_ANEW.has(message.error.code)) loadAnew();
    } else if ("live" in message) {
      subscription.isLive = message.live !== null;
      this.#tell();
    } else {
      subscription.after = message.seq;
      try {
        subscription.onFrame(message);
      } catch (error) {
        reportError(error); // the page's own fault must not cost the other topics their frames
      }
    }
  }

  #lost(code) {
    this.#socket = null;
    this.#awaySince ||= Date.now();
    for (const subscription of this.#topics.values()) subscription.isLive = false;
    if (code === CLOSED.signedOut || code === CLOSED.forbidden) loadAnew();
    const spread = code === CLOSED.restart ? RESTART_SPREAD_MS : FIRST_RETRY_MS;
    const longest = this.#failures ? Math.min(RETRY_MAX_MS, 2 ** this.#failures * 500) : spread;
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), longest * (0.3 + 0.7 * Math.random()));
    this.#tell();
  }

  /** Give the socket up without waiting for the network to say so. */
  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost();
    socket.close();
  }

  /** Something says that the world may have changed: find out now, not at the next ping. */
  #wake() {
    if (this.#isOpen) this.#ping();
    else if (!this.#socket && this.#topics.size) this.#connect();
  }

  #beat() {
    const now = Date.now();
    const slept = now - this.#beatAt > ASLEEP_MS;
    this.#beatAt = now;
    if (this.#received > this.#acked) this.#ack();
    if (slept) this.#wake();
    else if (this.#pingedAt && now - this.#pingedAt > (this.#isOpen ? PONG_WITHIN_MS : OPEN_WITHIN_MS)) this.#drop();
    else if (now - this.#heardAt > PING_AFTER_MS) this.#ping();
    this.#tell();
  }

  #ping() {
    if (!this.#isOpen || this.#pingedAt) return;
    this.#pingedAt = Date.now();
    this.#send({ ping: this.#received });
  }

  #heard() {
    this.#heardAt = Date.now();
    this.#pingedAt = 0;
  }

  #ack() {
    if (!this.#isOpen) return;
    this.#acked = this.#received;
    this.#unackedBytes = 0;
    this.#send({ ack: this.#received });
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /** Say how live the page is, if that has changed. A reconnection that takes a moment is no outage. */
  #tell() {
    const isLive = this.#isOpen && [...this.#topics.values()].every((subscription) => subscription.isLive);
    if (isLive) this.#failures = 0;
    const away = !this.#isOpen && Date.now() - this.#awaySince > OFFLINE_AFTER_MS;
    const name = isLive ? "live" : away ? "offline" : "catching up";
    if (name === this.#state.name) return;
    this.#state = { name, since: new Date(name === "offline" ? this.#awaySince : Date.now()) };
    this.#onState(this.#state);
    for (const subscription of this.#topics.values()) subscription.onState(this.#state);
  }
}

/** The server knows better what this page should show now: a login, a refusal, or a fresh copy. Never in a circle. */
function loadAnew() {
  const last = Number(sessionStorage.getItem("live-reloaded-at"));
  if (Date.now() - last < RELOAD_AT_MOST_EVERY_MS) return;
  sessionStorage.setItem("live-reloaded-at", String(Date.now()));
  location.reload();
}
