// Deliveries and failures per second as small charts: failures stand in front, on the same scale.

const svgNamespace = 'http://www.w3.org/2000/svg';

class Chart {
  #svg;
  #width;
  #height;
  #delivered;
  #failed;
  #size;

  /** One sample per unit of the view box's width. */
  constructor(svg) {
    this.#svg = svg;
    this.#width = svg.viewBox.baseVal.width;
    this.#height = svg.viewBox.baseVal.height;
    this.#size = this.#width + 1;
    this.#delivered = [];
    this.#failed = [];
    this.isStale = false;
  }

  add(delivered, failed) {
    const wasFlat = this.max === 0;
    this.#delivered.push(delivered);
    this.#failed.push(failed);
    if (this.#delivered.length > this.#size) {
      this.#delivered.shift();
      this.#failed.shift();
    }
    this.isStale = this.isStale || !wasFlat || this.max > 0;
  }

  get max() { return Math.max(0, ...this.#delivered, ...this.#failed); }

  draw() {
    if (!this.isStale) return;
    this.isStale = false;
    const max = this.max;
    this.#path('area ok', this.#delivered, max, true);
    this.#path('line ok', this.#delivered, max, false);
    this.#path('area bad', this.#failed, max, true);
    this.#path('line bad', this.#failed, max, false);
  }

  #path(kind, values, max, isArea) {
    const path = this.#pathElement(kind);
    if (max === 0 || values.length < 2 || !values.some((value) => value > 0)) {
      path.setAttribute('d', '');
      return;
    }
    const left = this.#width - values.length + 1;
    // A little room above and below, so that no line is cut.
    const y = (value) => (this.#height - 1 - (value / max) * (this.#height - 2)).toFixed(1);
    let d = values.map((value, i) => `${i === 0 ? 'M' : 'L'}${left + i} ${y(value)}`).join('');
    if (isArea) d += `L${this.#width} ${this.#height}L${left} ${this.#height}Z`;
    path.setAttribute('d', d);
  }

  #pathElement(kind) {
    for (const child of this.#svg.children) {
      if (child.getAttribute('class') === kind) return child;
    }
    const path = document.createElementNS(svgNamespace, 'path');
    path.setAttribute('class', kind);
    path.setAttribute('vector-effect', 'non-scaling-stroke');
    this.#svg.append(path);
    return path;
  }
}

/** How many events per second, worked out from counters that only grow. */
class Rates {
  #at = 0;
  #before = null;

  /** Since the last call; zeros at the first, and after a restart of the daemon. */
  next(counters, at) {
    const before = this.#before;
    const seconds = (at - this.#at) / 1000;
    this.#before = counters;
    this.#at = at;
    if (before === null || seconds <= 0) return counters.map(() => 0);
    if (counters.some((value, i) => value < before[i])) return counters.map(() => 0);
    return counters.map((value, i) => (value - before[i]) / seconds);
  }
}
