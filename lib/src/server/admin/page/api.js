// The admin API, and nothing but it. Paths are relative, so that a proxy may put the page under
// any prefix.

/**
 * {ok, status, code, message, data, text, retryAfter}; status 0: no answer.
 * `seconds`: how long to wait for one.
 */
async function ask(method, path, seconds = 10) {
  const failed = { ok: false, status: 0, code: '', message: '', data: null, text: '' };
  const options = { method, cache: 'no-store', signal: AbortSignal.timeout(seconds * 1000) };
  let response;
  let text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch (error) {
    const isLate = error.name === 'TimeoutError';
    return { ...failed, message: isLate ? `no answer within ${seconds} s` : 'no answer' };
  }
  return { ...failed, ...read(response, text) };
}

function read(response, text) {
  const result = { ok: response.ok, status: response.status, text };
  result.retryAfter = Number(response.headers.get('Retry-After')) || 0;
  try {
    result.data = JSON.parse(text);
  } catch {
    result.ok = false;
    result.message = `${response.status}, not in JSON`;
  }
  const error = result.data?.errors?.[0];
  if (!response.ok && error) {
    result.code = String(error.code ?? '');
    result.message = String(error.message ?? '');
    result.detail = error.detail ?? null;
  }
  if (!response.ok && !result.message) result.message = `answered ${response.status}`;
  return result;
}

const pathOf = (...parts) => ['v1', ...parts.map(encodeURIComponent)].join('/');

function query(parameters) {
  const text = new URLSearchParams(
    Object.entries(parameters).filter(([, value]) => value !== '' && value !== null)).toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * Calls `act` again and again while the tab is shown: `interval` ms after its last beginning, and
 * never so often that asking takes more than a fifth of the time. `now()` asks for a turn as soon
 * as the interval allows.
 */
class Turns {
  #timer = 0;
  #begunAt = -Infinity;
  #isRunning = false;
  #interval;
  #wait;
  #act;

  constructor(interval, act) {
    this.#interval = interval;
    this.#wait = interval;
    this.#act = act;
    document.addEventListener('visibilitychange', () => this.#schedule(this.#wait));
    this.#schedule(0);
  }

  /** What is longer than usual lasts for one turn. */
  set wait(milliseconds) { this.#wait = Math.max(this.#wait, milliseconds); }

  now() { this.#schedule(this.#interval); }

  #schedule(wait) {
    clearTimeout(this.#timer);
    if (document.hidden || this.#isRunning) return;
    const left = this.#begunAt + wait - performance.now();
    this.#timer = setTimeout(() => this.#run(), Math.max(0, left));
  }

  async #run() {
    this.#isRunning = true;
    this.#begunAt = performance.now();
    this.#wait = this.#interval;
    try {
      await this.#act();
    } finally {
      this.#isRunning = false;
      this.wait = 5 * (performance.now() - this.#begunAt);
      this.#schedule(this.#wait);
    }
  }
}
