// The endpoints: what state they are in, what waits, how fast it goes, and what to do about it.

// Worst first. `look` decides the colour.
const states = {
  breaker_open: { rank: 0, look: 'bad', text: 'breaker open' },
  down: { rank: 0, look: 'bad', text: 'failing' },
  failing: { rank: 1, look: 'bad', text: 'failing' },
  gone: { rank: 2, look: 'bad', text: 'gone' },
  last_failed: { rank: 5, look: 'warn', text: 'last one failed' },
  paused: { rank: 3, look: 'held', text: 'paused' },
  asked_to_wait: { rank: 4, look: 'held', text: 'asked to wait' },
  held: { rank: 4, look: 'held', text: 'held' },
  up: { rank: 6, look: 'ok', text: 'up' },
  disabled: { rank: 7, look: 'off', text: 'disabled' },
};

const failedAttempts = (counters) =>
  counters.failures + Object.values(counters.errors).reduce((sum, count) => sum + count, 0);

const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

/** The API calls an endpoint down after five failures in a row; here the last attempt decides. It
 * is red if something is stuck behind it. */
function stateOf(entry) {
  const { last_error: error, last_success: success } = entry;
  const isWrong = error !== null &&
    (success === null || Date.parse(success) < Date.parse(error.at));
  const wrong = entry.pending > 0 ? 'failing' : 'last_failed';
  const name = entry.state === 'up' && isWrong ? wrong : entry.state;
  return states[name] ?? { rank: 5, look: 'held', text: name };
}

class EndpointRow {
  constructor(name) {
    this.name = name;
    this.rates = new Rates();
    this.delivered = 0;
    this.failed = 0;
    this.element = byId('endpoint-row').content.cloneNode(true).firstElementChild;
    const find = (selector) => this.element.querySelector(selector);
    this.cells = {};
    for (const part of ['pending', 'oldest', 'delivered', 'failed', 'message', 'age', 'said']) {
      this.cells[part] = find(`.${part}`);
    }
    Object.assign(this.cells, { state: find('.badge'), host: find('.name small') });
    this.chart = new Chart(find('svg'));
    this.isVisible = false;
    this.#prepareButtons(find);
  }

  #prepareButtons(find) {
    const open = find('.name button');
    open.textContent = this.name;
    open.addEventListener('click', () => showEndpoint(this));
    this.pause = find('.pause');
    this.test = find('.test');
    this.test.setAttribute('aria-label', `Test ${this.name}`);
    this.pause.addEventListener('click', () => this.#togglePause());
    this.test.addEventListener('click', () => this.#sendTest());
  }

  /** What the API says now; `at`: when it said so. */
  update(entry, at) {
    this.entry = entry;
    this.state = stateOf(entry);
    const counters = [entry.counters.successes, failedAttempts(entry.counters)];
    [this.delivered, this.failed] = this.rates.next(counters, at);
    this.chart.add(this.delivered, this.failed);
    const { settings, last_error: lastError } = entry;
    this.searched =
      `${this.name} ${this.state.text} ${settings.url} ${lastError?.message ?? ''}`.toLowerCase();
    this.#show();
    if (this.isVisible) this.chart.draw();
  }

  #show() {
    const { entry, cells, state } = this;
    setData(this.element, 'look', state.look);
    const wait = entry.pause_seconds_left ??
      (entry.state === 'held' ? entry.held_seconds_left : undefined);
    setText(cells.state, wait ? `${state.text}, ${durationText(Math.ceil(wait))}` : state.text);
    setText(cells.host, entry.settings.url.replace(/^https?:\/\//, ''));
    setText(cells.pending, entry.pending === 0 ? '·' : countText(entry.pending));
    setText(cells.oldest, entry.pending === 0 ? '·' : durationText(entry.oldest_pending_seconds));
    setText(cells.delivered, rateText(this.delivered));
    setText(cells.failed, rateText(this.failed));
    this.#showError();
    const isPaused = entry.state === 'paused';
    const isOff = entry.state === 'disabled';
    if (this.pause.disabled !== isOff) this.pause.disabled = this.test.disabled = isOff;
    setText(this.pause, isPaused ? 'Resume' : 'Pause');
    const label = `${isPaused ? 'Resume' : 'Pause'} ${this.name}`;
    if (this.pause.ariaLabel !== label) this.pause.ariaLabel = label;
  }

  #showError() {
    const { entry, cells } = this;
    const error = entry.last_error;
    setText(cells.message, error?.message ?? '');
    setText(cells.age, error ? ageText(Date.now() - Date.parse(error.at)) : '');
    setData(cells.message, 'past', String(this.state.look !== 'bad'));
    if (error && cells.message.title !== error.message) cells.message.title = error.message;
  }

  async #act(path, seconds) {
    this.#say('…', '');
    const answer = await ask('POST', pathOf('endpoints', this.name, path), seconds);
    if (!answer.ok) this.#say(`${path}: ${answer.message}`, 'bad');
    return answer;
  }

  async #togglePause() {
    const answer = await this.#act(this.entry.state === 'paused' ? 'resume' : 'pause');
    if (!answer.ok) return;
    this.#say('', '');
    endpoints.turns.now();
  }

  async #sendTest() {
    this.test.disabled = true;
    const answer = await this.#act('test', 40);
    this.test.disabled = false;
    if (!answer.ok) return;
    const { delivered, status, message, error, duration_seconds: took } = answer.data;
    const outcome = status !== null ? `answered ${status}` : message ?? error;
    this.#say(`test: ${outcome} in ${durationText(took)}`, delivered ? 'good' : 'bad');
  }

  #say(text, look) {
    setText(this.cells.said, text);
    this.cells.said.dataset.look = look;
    clearTimeout(this.saidTimer);
    if (text !== '…') this.saidTimer = setTimeout(() => setText(this.cells.said, ''), 15000);
  }
}

const orders = {
  worst: (a, b) => a.state.rank - b.state.rank,
  name: () => 0,
  pending: (a, b) => b.entry.pending - a.entry.pending,
  oldest: (a, b) => b.entry.oldest_pending_seconds - a.entry.oldest_pending_seconds,
  rate: (a, b) => b.delivered + b.failed - a.delivered - a.failed,
};

class EndpointList {
  rows = new Map();
  touchedAt = -Infinity;
  names = new Intl.Collator('en', { numeric: true });

  start() {
    this.body = byId('endpoints-rows');
    this.watcher = new IntersectionObserver((entries) => this.#seen(entries));
    this.overall = new Chart(byId('overall'));
    byId('endpoints-filter').addEventListener('input', () => this.#arrange());
    byId('endpoints-order').addEventListener('change', () => this.#arrange());
    const touched = () => { this.touchedAt = performance.now(); };
    for (const event of ['pointermove', 'pointerdown', 'focusin', 'keydown']) {
      this.body.addEventListener(event, touched, { passive: true });
    }
    this.turns = new Turns(1000, () => this.#poll());
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const row = this.rows.get(target.dataset.name);
      if (!row) continue;
      row.isVisible = isIntersecting;
      if (isIntersecting) row.chart.draw();
    }
  }

  async #poll() {
    const answer = await ask('GET', 'v1/endpoints');
    connection.answered(answer);
    if (!answer.ok || !Array.isArray(answer.data?.endpoints)) return;
    this.show(answer.data.endpoints, performance.now());
  }

  show(entries, at) {
    const named = new Set(entries.map((entry) => entry.name));
    for (const [name, row] of this.rows) {
      if (!named.has(name)) this.#remove(row);
    }
    const isNew = entries.filter((entry) => !this.rows.has(entry.name));
    for (const { name } of isNew) this.#add(name);
    for (const entry of entries) this.rows.get(entry.name).update(entry, at);
    const isFirst = isNew.length > 0;
    // A row that moves away from under the pointer would have the wrong endpoint paused.
    if (isFirst || performance.now() - this.touchedAt > 8000) this.#arrange();
    this.#summarize();
    if (isFirst) performance.mark('endpoints-shown');
    letters.endpointsAre(entries);
  }

  #add(name) {
    const row = new EndpointRow(name);
    row.element.dataset.name = name;
    this.rows.set(name, row);
    this.watcher.observe(row.element);
  }

  #remove(row) {
    this.watcher.unobserve(row.element);
    row.element.remove();
    this.rows.delete(row.name);
  }

  /** Filters and sorts; only rows that stand in the wrong place are moved. */
  #arrange() {
    const wanted = byId('endpoints-filter').value.toLowerCase().split(/\s+/).filter(Boolean);
    const order = orders[byId('endpoints-order').value];
    const shown = [...this.rows.values()]
      .filter((row) => wanted.every((word) => row.searched.includes(word)))
      .sort((a, b) => order(a, b) || this.names.compare(a.name, b.name));
    const focused = document.activeElement;
    const elements = new Set(shown.map((row) => row.element));
    for (const element of [...this.body.children]) if (!elements.has(element)) element.remove();
    let next = this.body.firstElementChild;
    for (const { element } of shown) {
      if (element === next) next = next.nextElementSibling;
      else this.body.insertBefore(element, next);
    }
    if (focused !== document.activeElement && this.body.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
    this.#count(shown.length, wanted.length > 0);
  }

  #count(shown, isFiltered) {
    const all = this.rows.size;
    setText(byId('endpoints-count'), isFiltered ? `${shown} of ${all}` : String(all));
    const isEmpty = shown === 0;
    setText(byId('endpoints-empty'), !isEmpty ? '' : all === 0
      ? 'No endpoint is configured.' : 'No endpoint fits the filter.');
    setHidden(byId('endpoints-empty'), !isEmpty);
  }

  #summarize() {
    const total = { bad: 0, held: 0, pending: 0, oldest: 0, delivered: 0, failed: 0 };
    for (const { state, entry, delivered, failed } of this.rows.values()) {
      if (state.look === 'bad' || state.look === 'held') total[state.look] += 1;
      total.pending += entry.pending;
      total.oldest = Math.max(total.oldest, entry.oldest_pending_seconds);
      total.delivered += delivered;
      total.failed += failed;
    }
    setText(byId('sum-endpoints'), countText(this.rows.size));
    setText(byId('sum-failing'), countText(total.bad));
    setText(byId('sum-paused'), countText(total.held));
    setText(byId('sum-pending'), countText(total.pending));
    setText(byId('sum-oldest'), total.pending === 0 ? '–' : durationText(total.oldest));
    setText(byId('sum-delivered'), total.delivered > 0 ? rateText(total.delivered) : '0');
    setText(byId('sum-failed'), total.failed > 0 ? rateText(total.failed) : '0');
    setData(byId('tile-failing'), 'look', total.bad > 0 ? 'bad' : '');
    setData(byId('tile-paused'), 'look', total.held > 0 ? 'held' : '');
    this.overall.add(total.delivered, total.failed);
    this.overall.draw();
    setText(byId('overall-max'), this.overall.max > 0 ? `${rateText(this.overall.max)}/s` : '');
    connection.failing(total.bad);
  }
}

const endpoints = new EndpointList();

function endpointFacts(row) {
  const { entry, state } = row;
  const { counters, settings } = entry;
  return facts([
    ['state', state.text], ['URL', settings.url], ['format', settings.format],
    ['pending', `${plural(entry.pending, 'event')}, ${countText(entry.pending_bytes)} bytes`],
    ['under way', plural(entry.in_flight, 'request')],
    ['last success', entry.last_success ? timeElement(entry.last_success) : 'none yet'],
    ['last error', entry.last_error?.message], ['delivered', countText(counters.successes)],
    ['failed attempts', countText(failedAttempts(counters))],
    ['dropped', countText(sum(counters.dropped))],
    ['dead letters', countText(sum(counters.dead_letters))],
    ['ignored by its filter', countText(counters.ignored)],
  ]);
}

function showEndpoint(row) {
  const fill = async () => {
    const answer = await ask('GET', `${pathOf('endpoints', row.name, 'attempts')}?limit=30`);
    // A disabled endpoint has no attempts to tell of.
    const tries = answer.ok ? attemptsTable(answer.data.attempts) : problem(answer);
    return [endpointFacts(row), make('h3', 'Last attempts'), tries, make('h3', 'Settings'),
      jsonBlock(JSON.stringify(row.entry.settings))];
  };
  drawer.open(row.name, fill, () => endpoints.rows.has(row.name));
}
