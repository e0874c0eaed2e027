/** The page of a price replay: what happened as a table, and lines over time, in one file that needs nothing else. */

export interface ChartLine {
  readonly name: string;
  /** x in ms since 1970 (or whatever the chart's x is), ascending; y in the chart's unit. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly ChartLine[];
  /** Default time. */
  readonly x?: 'time' | 'number';
}

export interface Page {
  readonly title: string;
  readonly rows: readonly (readonly [name: string, value: string])[];
  readonly charts: readonly Chart[];
}

const WIDTH = 860;
const HEIGHT = 240;
const LEFT = 90;
const BOTTOM = 28;
const TOP = 12;
const RIGHT = 12;
const COLORS = ['#2563eb', '#dc2626', '#16a34a', '#9333ea', '#ea580c', '#0891b2'] as const;
const GRID_LINES = 4;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export function htmlPage({ title, rows, charts }: Page): string {
  const table = rows
    .map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`)
    .join('\n');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff; }
table { border-collapse: collapse; } th { text-align: left; font-weight: 600; padding-right: 1.5rem; } th, td { border-bottom: 1px solid #ddd; vertical-align: top; }
svg { width: 100%; height: auto; } text { font-size: 11px; fill: #555; } h2 { margin-bottom: 0; font-size: 1.05rem; }
.key { font-size: 13px; color: #555; } .key b { font-weight: 600; }
</style>
<h1>${escaped(title)}</h1>
<table>
${table}
</table>
${charts.map(chartHtml).join('\n')}
</html>
`;
}

function chartHtml(chart: Chart): string {
  const drawn = chart.lines.filter(({ points }) => points.length > 0);
  const heading = `<h2>${escaped(chart.title)} <span class="key">(${escaped(chart.unit)})</span></h2>`;
  if (drawn.length === 0) return `${heading}\n<p class="key">nothing happened</p>`;
  const all = drawn.flatMap(({ points }) => points);
  const [xLow, xHigh] = bounds(all.map(([x]) => x));
  const [yLow, yHigh] = bounds(all.map(([, y]) => y));
  const xAt = (x: number): number => LEFT + ((x - xLow) / (xHigh - xLow)) * (WIDTH - LEFT - RIGHT);
  const yAt = (y: number): number =>
    HEIGHT - BOTTOM - ((y - yLow) / (yHigh - yLow)) * (HEIGHT - TOP - BOTTOM);
  const label = chart.x === 'number' ? (x: number) => count.format(x) : day;
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, i) => {
    const y = yLow + ((yHigh - yLow) * i) / GRID_LINES;
    const x = xLow + ((xHigh - xLow) * i) / GRID_LINES;
    const [gx, gy] = [xAt(x).toFixed(1), yAt(y).toFixed(1)];
    return (
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${gy}" y2="${gy}" stroke="#e5e5e5"/>` +
      `<text x="${LEFT - 6}" y="${gy}" text-anchor="end" dy="4">${escaped(count.format(y))}</text>` +
      `<text x="${gx}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(label(x))}</text>`
    );
  }).join('');
  const lines = drawn
    .map(({ points }, i) => {
      const path = points.map(([x, y]) => `${xAt(x).toFixed(1)},${yAt(y).toFixed(1)}`).join(' ');
      return `<polyline fill="none" stroke="${COLORS[i % COLORS.length]}" stroke-width="1.5" points="${path}"/>`;
    })
    .join('');
  const key = drawn
    .map(({ name }, i) => `<b style="color:${COLORS[i % COLORS.length]}">${escaped(name)}</b>`)
    .join(' · ');
  return `${heading}\n<p class="key">${key}</p>\n<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(chart.title)}">${grid}${lines}</svg>`;
}

/** Low and high, never the same. */
function bounds(values: readonly number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low === high ? [low - 1, high + 1] : [low, high];
}
