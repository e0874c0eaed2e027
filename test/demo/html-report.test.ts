/** The page of a price replay: whole, self-contained, and drawn where the numbers say. */
import { describe, expect, test } from 'vitest';
import { htmlPage } from '#client/demo/prices/html-report.ts';

describe('the page of a price replay', () => {
  const page = htmlPage({
    title: 'January <2022>',
    rows: [['accounts', '2,000 & more']],
    charts: [
      {
        title: 'index',
        unit: 'quote',
        lines: [
          {
            name: 'BTC-PERP',
            points: [
              [0, 10],
              [86_400_000, 20],
            ],
          },
        ],
      },
      { title: 'nothing', unit: 'q', lines: [{ name: 'none', points: [] }] },
      { title: 'flat', unit: 'q', x: 'number', lines: [{ name: 'one', points: [[5, 5]] }] },
    ],
  });

  test('asks for nothing from elsewhere, and runs nothing', () => {
    expect(page).not.toMatch(/https?:|<script|<link|<img|url\(/);
    expect(page.startsWith('<!doctype html>')).toBe(true);
  });

  test('says text as text', () => {
    expect(page).toContain('January &lt;2022&gt;');
    expect(page).toContain('2,000 &amp; more');
  });

  test('draws lines from corner to corner, and says where nothing happened', () => {
    expect(page).toContain('points="90.0,212.0 848.0,12.0"');
    expect(page).toContain('1970-01-02');
    expect(page).toContain('nothing happened');
    expect(page).not.toContain('NaN');
  });
});
