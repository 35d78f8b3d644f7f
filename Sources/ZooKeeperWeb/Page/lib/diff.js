// The lines in which two texts differ.

const mostLines = 3000;

/**
 * Rows of [mine, theirs]: a line of each, null where the other has one more. `isSame` says whether they are equal.
 * Texts with more than 3,000 lines that differ are set side by side line by line, without looking for what moved.
 */
export function diffLines(mineText, theirsText) {
  const mine = mineText.split("\n");
  const theirs = theirsText.split("\n");
  let start = 0;
  while (start < mine.length && start < theirs.length && mine[start] === theirs[start]) start += 1;
  let end = 0;
  while (end < mine.length - start && end < theirs.length - start
    && mine[mine.length - 1 - end] === theirs[theirs.length - 1 - end]) end += 1;
  const same = (lines) => lines.map((line) => ({ mine: line, theirs: line, isSame: true }));
  const middle = between(mine.slice(start, mine.length - end), theirs.slice(start, theirs.length - end));
  return [...same(mine.slice(0, start)), ...middle, ...same(mine.slice(mine.length - end))];
}

function between(mine, theirs) {
  if (mine.length * theirs.length > mostLines * mostLines / 4) return pairs(mine, theirs);
  const width = theirs.length + 1;
  const lengths = new Uint16Array((mine.length + 1) * width);
  for (let row = mine.length - 1; row >= 0; row -= 1) {
    for (let column = theirs.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = mine[row] === theirs[column] ? lengths[(row + 1) * width + column + 1] + 1
        : Math.max(lengths[(row + 1) * width + column], lengths[row * width + column + 1]);
    }
  }
  const rows = [];
  let row = 0;
  let column = 0;
  let removed = [];
  let added = [];
  const flush = () => {
    rows.push(...pairs(removed, added));
    removed = [];
    added = [];
  };
  while (row < mine.length || column < theirs.length) {
    if (row < mine.length && column < theirs.length && mine[row] === theirs[column]) {
      flush();
      rows.push({ mine: mine[row], theirs: theirs[column], isSame: true });
      row += 1;
      column += 1;
    } else if (column === theirs.length
      || (row < mine.length && lengths[(row + 1) * width + column] >= lengths[row * width + column + 1])) {
      removed.push(mine[row]);
      row += 1;
    } else {
      added.push(theirs[column]);
      column += 1;
    }
  }
  flush();
  return rows;
}

function pairs(mine, theirs) {
  return Array.from({ length: Math.max(mine.length, theirs.length) }, (_, index) =>
    ({ mine: mine[index] ?? null, theirs: theirs[index] ?? null, isSame: false }));
}
