// What is known of one endpoint, event or dead letter, beside the page.

const drawer = {
  /** `fill` returns elements, or null while it knows nothing new; true from `goesOn`: ask again. */
  open(title, fill, goesOn = () => false) {
    this.turn = (this.turn ?? 0) + 1;
    byId('drawer-title').textContent = title;
    byId('drawer-body').replaceChildren(make('p.dim', 'asking…'));
    if (!byId('drawer').open) byId('drawer').showModal();
    this.refresh(this.turn, fill, goesOn);
  },

  async refresh(turn, fill, goesOn) {
    const isShown = () => turn === this.turn && byId('drawer').open;
    if (!document.hidden) {
      const children = await fill();
      if (!isShown()) return;
      // What somebody is just copying out of it is left alone.
      if (!this.isInUse()) byId('drawer-body').replaceChildren(...children);
    }
    const again = () => isShown() && this.refresh(turn, fill, goesOn);
    if (isShown() && goesOn()) setTimeout(again, 1000);
  },

  isInUse() {
    const selection = document.getSelection();
    const body = byId('drawer-body');
    if (document.activeElement !== body && body.contains(document.activeElement)) return true;
    return !selection.isCollapsed && body.contains(selection.anchorNode);
  },

  start() {
    const dialog = byId('drawer');
    byId('drawer-close').addEventListener('click', () => dialog.close());
    // A click beside it lands on the dialog itself.
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  },
};

/** Names and values; what has no value is left out. */
function facts(entries) {
  const list = make('dl.facts');
  for (const [name, value] of entries) {
    if (value === null || value === undefined || value === '') continue;
    const shown = value instanceof Node ? value : String(value);
    list.append(make('dt', name), make('dd', shown));
  }
  return list;
}

const problem = (answer) => make('p.notice.bad', answer.message);

function attemptText(attempt) {
  const answer = attempt.status ?? attempt.error ?? '–';
  return `${answer} in ${durationText(attempt.duration_seconds)}`;
}

function attemptsTable(attempts) {
  if (attempts.length === 0) return make('p.dim', 'None yet.');
  const rows = attempts.map((attempt) => {
    const isGood = attempt.status >= 200 && attempt.status < 300;
    return make('tr', make('td', timeElement(attempt.at)), make('td.number', `#${attempt.attempt}`),
      make(isGood ? 'td.good' : 'td.wrong', attemptText(attempt)),
      make('td.mono', attempt.event_id ?? ''));
  });
  return make('table.plain', make('tbody', ...rows));
}
