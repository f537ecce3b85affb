// The events as they come, newest first; a press on one tells what became of it.

/** What an event is about, in a few words. */
function subjectOf(event) {
  const target = event.target ?? {};
  if (typeof target.repository === 'string') {
    if (typeof target.tag === 'string') return `${target.repository}:${target.tag}`;
    if (typeof target.digest !== 'string') return target.repository;
    return `${target.repository}@${target.digest.slice(0, 19)}`;
  }
  if (event.truncated === true) return `too large to be kept: ${countText(event.size ?? 0)} bytes`;
  for (const name of ['subject', 'endpoint', 'result', 'id']) {
    if (typeof event[name] === 'string') return event[name];
  }
  return '';
}

function actorOf(record) {
  const event = record.event ?? {};
  const name = event.actor?.name || event.request?.addr || event.source?.addr;
  if (typeof name === 'string' && name !== '') return name;
  return typeof event.source === 'string' ? event.source : record.source;
}

const actionOf = (event) => String(event.action ?? event.type ?? '–');

// Those of the daemon's own that need somebody's eye.
const badActions = new Set(['endpoint.down', 'config.rejected', 'delivery.failed']);

class EventRow {
  constructor(record, text) {
    const event = record.event ?? {};
    this.record = record;
    this.text = text;
    this.searched = text.slice(0, 4096).toLowerCase();
    const open = make('button.link', String(record.seq));
    open.type = 'button';
    open.setAttribute('aria-label', `Event ${record.seq}`);
    this.element = make('tr', make('td.time', timeElement(record.received)),
      make('td.number', open), make('td', make('span.action', brief(actionOf(event)))),
      make('td.what', brief(subjectOf(event))), make('td.who', brief(actorOf(record))));
    if (record.source === 'meta') {
      this.element.dataset.look = badActions.has(event.action) ? 'bad' : 'meta';
    }
    if (record.source === 'replay') this.element.dataset.look = 'replay';
    // Who selects text does not want to leave it.
    this.element.addEventListener('click', () => {
      if (document.getSelection().isCollapsed) showEvent(this);
    });
  }
}

class NoteRow {
  constructor(text) {
    this.searched = null;
    const cell = make('td', text);
    cell.colSpan = 5;
    this.element = make('tr.note', cell);
  }
}

class EventList {
  rows = [];
  coming = [];
  words = [];
  isHeld = false;
  isDue = false;
  rest = 0;

  start() {
    this.body = byId('events-rows');
    this.feed = new EventFeed({
      event: (record, text) => this.#put(() => new EventRow(record, text)),
      note: (text) => this.#put(() => new NoteRow(text)),
      state: (text) => {
        setText(byId('events-state'), text);
        this.#tellEmpty();
      },
      notice: (text) => showNotice(byId('events-notice'), text),
    });
    const filtered = notTooOften(() => this.#filter(), 300);
    byId('events-filter').addEventListener('input', filtered);
    byId('events-hold').addEventListener('click', () => this.#hold(!this.isHeld));
    this.feed.open({});
  }

  /** `action:`, `source:` and `target:` are the daemon's to sort out, other words are ours. */
  #filter() {
    const filter = {};
    this.words = [];
    for (const word of byId('events-filter').value.split(/\s+/).filter(Boolean)) {
      const parts = /^(action|source|target):(.+)$/.exec(word);
      if (parts) filter[parts[1]] = parts[2];
      else this.words.push(word.toLowerCase());
    }
    const key = JSON.stringify(filter);
    if (key !== (this.filterKey ?? '{}')) {
      this.filterKey = key;
      this.rows = [];
      this.coming = [];
      this.body.replaceChildren();
      this.feed.open(filter);
    }
    for (const row of this.rows) setHidden(row.element, !this.#fits(row));
    this.#tellEmpty();
  }

  #fits(row) {
    return row.searched === null || this.words.every((word) => row.searched.includes(word));
  }

  #hold(isHeld) {
    this.isHeld = isHeld;
    byId('events-hold').setAttribute('aria-pressed', String(isHeld));
    if (!isHeld) this.#flush();
    this.#tellHeld();
  }

  #tellHeld() {
    const waiting = this.coming.length > 0 ? ` (${this.coming.length} new)` : '';
    setText(byId('events-hold'), this.isHeld ? `Go on${waiting}` : 'Hold');
  }

  // Thousands may come in a second: rows are made once a frame, and for those only that are shown.
  #put(makeRow) {
    this.coming.push(makeRow);
    if (this.coming.length > rowsMax) this.coming.shift();
    if (this.isDue) return;
    this.isDue = true;
    setTimeout(() => requestAnimationFrame(() => this.#draw()), this.rest);
  }

  #draw() {
    this.isDue = false;
    const begun = performance.now();
    if (this.isHeld) this.#tellHeld();
    else this.#flush();
    // Four fifths of the time are for others, whoever sends how much.
    this.rest = 4 * (performance.now() - begun);
  }

  #flush() {
    const fresh = this.coming.reverse().map((makeRow) => makeRow());
    this.coming = [];
    for (const row of fresh) setHidden(row.element, !this.#fits(row));
    this.body.prepend(...fresh.map((row) => row.element));
    this.rows.unshift(...fresh);
    for (const row of this.rows.splice(rowsMax)) row.element.remove();
    this.#tellEmpty();
  }

  #tellEmpty() {
    const isOff = byId('events-state').textContent === 'off';
    const isEmpty = !isOff && !this.rows.some((row) => !row.element.hidden);
    const isFiltered = byId('events-filter').value.trim() !== '';
    setText(byId('events-empty'),
      isFiltered ? 'No event fits the filter.' : 'No event has come yet.');
    setHidden(byId('events-empty'), !isEmpty);
  }
}

const events = new EventList();

const fateRanks = ['dead_lettered', 'dropped', 'pending', 'unknown', 'delivered', 'ignored',
  'not_offered'];
const fateLooks = { dead_lettered: 'bad', dropped: 'bad', pending: 'held', delivered: 'ok' };

function fateRow(fate) {
  const badge = make('span.badge', fate.state.replaceAll('_', ' '));
  const why = fate.reason ? ` (${fate.reason})` : '';
  const attempts = (fate.attempts ?? []).map((attempt) =>
    make('div', timeElement(attempt.at), ` #${attempt.attempt} ${attemptText(attempt)}`));
  const row = make('tr', make('td', badge, why), make('td', fate.name), make('td', ...attempts));
  row.dataset.look = fateLooks[fate.state] ?? 'off';
  return row;
}

function fateTable(fates) {
  const rank = (fate) => fateRanks.indexOf(fate.state);
  const sorted = [...fates].sort((a, b) => rank(a) - rank(b));
  return make('table.plain.fates', make('tbody', ...sorted.map(fateRow)));
}

function showEvent(row) {
  let isPending = true;
  const { seq, source, received } = row.record;
  const fill = async () => {
    const answer = await ask('GET', pathOf('events', String(seq)));
    isPending = answer.ok && answer.data.endpoints.some((fate) => fate.state === 'pending');
    const about = facts([['received', timeElement(received)], ['came by', source]]);
    const text = (answer.ok && rawMember(answer.text, 'event')) || rawMember(row.text, 'event');
    const fates = answer.ok
      ? [make('h3', 'What became of it'), fateTable(answer.data.endpoints)] : [problem(answer)];
    return [about, ...fates, make('h3', 'Event'), jsonBlock(text ?? 'null')];
  };
  drawer.open(`Event ${seq}`, fill, () => isPending);
}
