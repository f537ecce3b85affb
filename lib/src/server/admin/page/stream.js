// The live stream of events, by EventSource; where there is none, by asking for the history. Who
// uses it is told: event(record, its text), note(text), state(text), notice(text).

const rowsMax = 300;
// Fewer, so that the row which tells of the gap stays in sight for a while.
const rowsAfterGap = 200;

class EventFeed {
  #listener;
  #filter = {};
  #source = null;
  #instance = null;
  #lastSeq = 0;
  #timer = 0;
  #poller = null;

  constructor(listener) {
    this.#listener = listener;
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#stop();
      else this.open(this.#filter);
    });
  }

  /** From here on these events only; {action, source, target}, each optional. */
  open(filter) {
    if (JSON.stringify(filter) !== JSON.stringify(this.#filter)) this.#lastSeq = 0;
    this.#filter = filter;
    this.#stop();
    if (!document.hidden) this.#connect();
  }

  /** The daemon answers again: no need to wait longer. */
  wake() {
    if (this.#source === null && this.#poller === null) this.open(this.#filter);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#poller = null;
    this.#source?.close();
    this.#source = null;
  }

  #address() {
    return `v1/events/stream${query({ format: 'sse', name: 'status-page', count: rowsMax,
      ...this.#filter })}`;
  }

  #connect() {
    const source = new EventSource(this.#address());
    this.#source = source;
    this.#listener.state('connecting…');
    source.addEventListener('open', () => {
      this.#listener.notice('');
      this.#listener.state('live');
    });
    source.addEventListener('hello', (event) => this.#greet(JSON.parse(event.data).instance));
    source.addEventListener('message', (event) => this.#take(JSON.parse(event.data), event.data));
    source.addEventListener('gap', (event) => this.#gap(JSON.parse(event.data)));
    source.addEventListener('close', (event) => this.#closing(JSON.parse(event.data).reason));
    source.addEventListener('error', () => this.#failed(source));
  }

  #greet(instance) {
    if (this.#instance !== null && this.#instance !== instance) {
      this.#listener.note('the daemon has been started anew');
      this.#lastSeq = 0;
    }
    this.#instance = instance;
  }

  // A stream that is opened anew begins with events that were shown already.
  #take(record, text) {
    if (!(record.seq > this.#lastSeq)) return;
    this.#lastSeq = record.seq;
    this.#listener.event(record, text);
  }

  #gap(frame) {
    if (frame.reason === 'restart') return;
    const missed = Number.isFinite(frame.missed) ? plural(frame.missed, 'event') : 'events';
    this.#listener.note(`${missed} gone from the history before they could be shown`);
    if (frame.to > this.#lastSeq) this.#lastSeq = frame.to;
  }

  #closing(reason) {
    if (reason !== 'shutdown') this.#listener.note(`the daemon has ended the stream: ${reason}`);
  }

  // EventSource comes back by itself, unless the answer was not 200: then it never says which.
  #failed(source) {
    if (source !== this.#source) return;
    this.#listener.state('no stream, trying again…');
    if (source.readyState !== EventSource.CLOSED) return;
    this.#stop();
    this.#learnWhy();
  }

  async #learnWhy() {
    const leave = new AbortController();
    let answer = { status: 0, code: '', message: 'no answer', retryAfter: 0 };
    try {
      const response = await fetch(this.#address(), { signal: leave.signal, cache: 'no-store' });
      if (response.ok) answer = { status: 200 };
      else answer = read(response, await response.text());
    } catch {
      // The daemon is not there: `connection` says so.
    }
    leave.abort();
    if (this.#source !== null || this.#poller !== null) return;
    this.#goOn(answer);
  }

  #goOn(answer) {
    const again = (seconds) => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.open(this.#filter), seconds * 1000);
    };
    if (answer.status === 0 || answer.status === 200) return again(3);
    const isFull = answer.status === 503 || answer.status === 429;
    if (isFull || answer.code === 'STREAMS_DISABLED') {
      this.#listener.notice(`No live stream (${answer.message}): asking for new events instead.`);
      this.#poll();
      return again(30);
    }
    this.#listener.state('off');
    this.#listener.notice(answer.code === 'HISTORY_DISABLED'
      ? 'The daemon keeps no history of events (history.capacity is 0), so none can be shown.'
      : `Events cannot be shown: ${answer.message}`);
    return again(30);
  }

  // What an answer holds; returns where to go on.
  #takeAll(answer) {
    const { status, lowest, next } = answer;
    if (status === 'evicted') this.#gap({ missed: answer.missed, to: lowest - 1 });
    for (const record of answer.events.slice(-rowsMax)) this.#take(record, JSON.stringify(record));
    if (status === 'future') return { start: lowest };
    // Behind by more than is shown, it would only get further behind.
    const behind = next - answer.next_start;
    const isFiltered = Object.keys(this.#filter).length > 0;
    if (behind <= rowsMax || isFiltered) return { start: answer.next_start };
    const passed = plural(behind - rowsAfterGap, 'event');
    this.#listener.note(`${passed} passed over, as they come so fast`);
    return { start: next - rowsAfterGap };
  }

  async #poll() {
    const poller = {};
    this.#poller = poller;
    this.#listener.state('every 2 s');
    let from = this.#lastSeq > 0 ? { start: this.#lastSeq + 1 } : { tail: rowsMax };
    while (this.#poller === poller) {
      const answer = await ask('GET', `v1/events${query({ ...from, ...this.#filter })}`);
      if (this.#poller !== poller) return;
      if (answer.ok) {
        this.#greet(answer.data.instance);
        from = this.#takeAll(answer.data);
      }
      await new Promise((resolve) => { setTimeout(resolve, 2000); });
    }
  }
}
