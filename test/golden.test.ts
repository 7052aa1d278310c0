import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** The rules of the translation that have a golden case: whoever removes the last one of a rule has to say so here. */
const RULES = {
  request: `
    R101 R104 R105 R106 R107 R108 R110 R111 R112 R113 R114 R115
    R120 R121 R122 R123 R124 R125 R126 R127 R128 R129 R130 R132
    R133 R134 R135 R136 R137 R138 R139 R140 R141 R142 R143 R144
    R145 R146 R147 R148 R149 R150 R151 R153 R220
    R601 R602 R603 R604 R606 R607 R610 R611 R612 R613 R614 R615
    R616 R617 R618 R619 R620 R621 R622 R623 R624 R625 R627 R628
    R629 R630 R631 R632 R633 R634 R635 R636 R637 R638 R639 R640
    R641 R642 R643 R644 R645 R646 R647
  `,
  response: `
    R108 R201 R202 R203 R205 R206 R207 R208 R209 R210 R211 R213
    R214 R215 R218 R219 R220 R318
    R647 R650 R651 R652 R653 R654 R655 R656 R657 R658 R659
  `,
  stream: `
    R106 R108 R131 R135 R144 R201 R202 R203 R204 R205 R206 R207
    R208 R209 R210 R211 R212 R213 R214 R215 R216 R219 R220 R302
    R303 R304 R305 R306 R307 R308 R309 R310 R311 R312 R313 R314
    R315 R316 R317 R318 R319 R322 R325 R327 R329
    R626 R656 R659 R660 R661 R662 R663 R664 R665 R666 R667 R668 R669 R670
    R671 R672 R675 R676
  `,
};

describe.each(Object.entries(RULES))('golden cases of the %s', (kind, rules) => {
  const folders = readdirSync(new URL(`golden/${kind}/`, import.meta.url));

  test.each(rules.trim().split(/\s+/))('%s has one', (rule) => {
    expect(folders.some((folder) => folder.startsWith(`${rule}-`))).toBe(true);
  });

  test('every rule that has one is in the list', () => {
    const named = new Set(
      folders.map((folder) => /^R\d{3}(?=-)/.exec(folder)?.[0]).filter((rule) => rule !== undefined),
    );
    expect([...named].sort()).toEqual(rules.trim().split(/\s+/).sort());
  });
});
