// Whether the daemon answers, and how the page begins.

class Connection {
  lostAt = null;
  shownFailing = null;

  answered(answer) {
    if (answer.ok) return this.#found(answer.data);
    this.lostAt ??= new Date();
    const since = clockText(this.lostAt);
    const text = answer.status === 0 ? `No answer from the daemon since ${since}.`
      : `The daemon does not tell, since ${since}: ${answer.message}.`;
    showNotice(byId('outage'), `${text} What is shown is from before; trying again by itself.`);
    this.#show('lost', answer.status === 0 ? 'no answer' : answer.message, '');
    setData(document.body, 'stale', 'true');
    return this.#title();
  }

  #found(list) {
    const wasLost = this.lostAt !== null;
    this.lostAt = null;
    showNotice(byId('outage'), list?.queue_connected !== false ? ''
      : 'No server of the shared queue can be reached. What waits is shown as of before.');
    setData(document.body, 'stale', 'false');
    this.#show('live', 'live', clockText(new Date()));
    if (wasLost) events.feed.wake();
    this.#title();
  }

  failing(count) {
    this.failingCount = count;
    this.#title();
  }

  // The time is apart: who has the page read out is not told every second.
  #show(state, text, at) {
    setData(byId('connection'), 'state', state);
    setText(byId('connection-text'), text);
    setText(byId('connection-at'), at);
  }

  /** In the tab too, for those who look elsewhere. */
  #title() {
    const failing = this.failingCount ?? 0;
    const mark = this.lostAt !== null ? 'lost' : failing > 0 ? 'bad' : 'ok';
    const told = { lost: 'no answer – ', bad: `${failing} failing – `, ok: '' }[mark];
    if (document.title !== `${told}Fanfare`) document.title = `${told}Fanfare`;
    if (this.shownMark === mark) return;
    this.shownMark = mark;
    const colour = { lost: '888', bad: 'd2352b', ok: '2a9d63' }[mark];
    byId('icon').href = 'data:image/svg+xml,' + encodeURIComponent(
      `<svg xmlns="${svgNamespace}" viewBox="0 0 16 16">` +
      `<circle cx="8" cy="8" r="7" fill="#${colour}"/></svg>`);
  }
}

const connection = new Connection();

document.addEventListener('keydown', (event) => {
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName);
  if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  byId('endpoints-filter').focus();
});

drawer.start();
letters.start();
endpoints.start();
events.start();
