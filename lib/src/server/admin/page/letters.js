// What was given up, oldest first, and how to send it again.

const lettersPerPart = 100;
const lettersMax = 1000;

class LetterRow {
  constructor(letter) {
    this.letter = letter;
    const open = make('button.link', brief(letter.event_id) || `#${letter.id}`);
    open.type = 'button';
    open.addEventListener('click', () => showLetter(letter));
    this.replay = make('button', 'Replay');
    this.replay.type = 'button';
    this.replay.setAttribute('aria-label', `Replay ${letter.event_id}`);
    this.replay.addEventListener('click', () => letters.replay({ id: letter.id }, this.replay));
    const status = letter.last_status ?? letter.last_error ?? '';
    const why = letter.reason + (status === '' ? '' : `: ${status}`);
    this.element = make('tr', make('td.time', timeElement(letter.given_up_at)),
      make('td', letter.endpoint), make('td.what', make('span.action', brief(letter.action)), ' ', open),
      make('td.wrong', why), make('td.actions', this.replay));
  }
}

class LetterList {
  rows = new Map();
  limit = lettersPerPart;
  names = new Set();
  givenUp = -1;

  start() {
    this.body = byId('letters-rows');
    this.choice = byId('letters-endpoint');
    const button = byId('letters-replay');
    const whose = () => (this.choice.value === '' ? 'all' : `all of ${this.choice.value}`);
    askTwice(button, () => `Really replay ${whose()}?`,
      () => this.replay({ endpoint: this.choice.value }, button));
    this.choice.addEventListener('change', () => {
      this.limit = lettersPerPart;
      setText(button, `Replay ${whose()}`);
      this.turns.now();
    });
    byId('letters-more').addEventListener('click', () => {
      this.limit = Math.min(lettersMax, this.limit + lettersPerPart);
      this.turns.now();
    });
    this.interval = 5000;
    this.turns = new Turns(1000, () => this.#poll());
  }

  /** Endpoints tell how much they have given up: more of it is shown soon. */
  endpointsAre(entries) {
    this.#offer(entries.map((entry) => entry.name));
    const givenUp = entries.reduce((total, entry) => total + sum(entry.counters.dead_letters), 0);
    if (givenUp !== this.givenUp) this.turns.now();
    this.givenUp = givenUp;
  }

  #offer(names) {
    for (const name of names) {
      if (this.names.has(name)) continue;
      this.names.add(name);
      const option = make('option', `of ${name}`);
      option.value = name;
      this.choice.append(option);
    }
  }

  async #poll() {
    this.turns.wait = this.interval;
    const endpoint = this.choice.value;
    const answer = await ask('GET', `v1/dead-letters${query({ limit: this.limit, endpoint })}`);
    if (endpoint !== this.choice.value) return;
    if (answer.status === 0) return;
    // An endpoint that is neither configured nor has any letter is not known there.
    const isEmpty = answer.code === 'NAME_UNKNOWN' && endpoint !== '';
    const isOff = answer.code === 'DEAD_LETTERS_DISABLED';
    if (isOff) this.turns.wait = 30000;
    const text = isOff ? 'Dead letters are not kept: dead_letters.dir is not configured.'
      : answer.message;
    showNotice(byId('letters-notice'), answer.ok || isEmpty ? '' : text);
    const isShown = answer.ok || isEmpty;
    this.#show(answer.data?.dead_letters ?? [], answer.data?.next ?? null, isShown);
  }

  #show(list, next, isShown) {
    const ids = new Set(list.map((letter) => letter.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    let place = this.body.firstElementChild;
    for (const letter of list) {
      const row = this.rows.get(letter.id);
      if (row) {
        place = row.element.nextElementSibling;
        continue;
      }
      const fresh = new LetterRow(letter);
      this.rows.set(letter.id, fresh);
      this.body.insertBefore(fresh.element, place);
    }
    this.#offer(list.map((letter) => letter.endpoint));
    const count = next === null ? String(list.length) : `${list.length}, and more`;
    setText(byId('letters-count'), isShown ? count : '');
    setHidden(byId('letters-empty'), !isShown || list.length > 0);
    setHidden(byId('letters-more'), next === null || this.limit >= lettersMax);
    byId('letters-replay').disabled = list.length === 0;
  }

  /** `filter` as for the API: {id} or {endpoint}; without either, all. */
  async replay(filter, button) {
    button.disabled = true;
    this.#say('replaying…', '');
    const answer = await ask('POST', `v1/dead-letters/replay${query(filter)}`, 600);
    button.disabled = false;
    if (!answer.ok) return this.#say(`replay: ${answer.message}`, 'bad');
    const { replayed, not_replayed: left, stopped } = answer.data;
    let text = `${plural(replayed, 'event')} queued again`;
    if (left > 0) text += `; ${countText(left)} not, as their endpoint is not there`;
    if (stopped) text += `; stopped early (${stopped})`;
    this.#say(text, left > 0 || stopped ? 'bad' : 'good');
    // A letter stays until its event is delivered, or given up again.
    this.interval = 1000;
    clearTimeout(this.calmTimer);
    this.calmTimer = setTimeout(() => { this.interval = 5000; }, 15000);
    return this.turns.now();
  }

  #say(text, look) {
    setText(byId('letters-result'), text);
    byId('letters-result').dataset.look = look;
    clearTimeout(this.saidTimer);
    if (text !== 'replaying…') {
      this.saidTimer = setTimeout(() => setText(byId('letters-result'), ''), 20000);
    }
  }
}

const letters = new LetterList();

function showLetter(letter) {
  const fill = async () => {
    const answer = await ask('GET', pathOf('dead-letters', String(letter.id)));
    if (!answer.ok) return [problem(answer)];
    const known = answer.data;
    return [facts([['endpoint', known.endpoint], ['event', known.event_id], ['why', known.reason],
      ['last answer', known.last_status ?? known.last_error], ['attempts', known.attempts],
      ['accepted', timeElement(known.accepted_at)], ['given up', timeElement(known.given_up_at)],
      ['bytes', countText(known.payload_bytes)]]), make('h3', 'Event'),
      jsonBlock(rawMember(answer.text, 'payload') ?? 'null')];
  };
  drawer.open(`Dead letter ${letter.id}`, fill);
}
