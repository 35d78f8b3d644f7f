// JSON, checked and formatted without changing it: numbers keep their digits (12345678901234567890 stays what it is),
// keys keep their order and may come twice. The first fault is given with its line and column.

const tokenPattern =
  /[ \t\r\n]+|[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|true\b|false\b|null\b/y;

/**
 * Reads a text as JSON: {tokens: [[kind, text]], fault: null or {message, line, column}}. Kinds: key, string, number,
 * word, mark. Nesting is kept on a separate stack, so that depth costs memory and not the call stack.
 */
export function readJSON(text) {
  const tokens = [];
  const stack = [];  // "{" or "["
  let state = "value";  // value, valueOrEnd, key, keyOrEnd, colon, comma, end
  let offset = 0;
  while (offset < text.length) {
    tokenPattern.lastIndex = offset;
    const match = tokenPattern.exec(text);
    if (!match) return { tokens, fault: faultAt(text, offset, wordsOf(text, offset, state, stack)) };
    const token = match[0];
    const start = offset;
    offset += token.length;
    const first = token[0];
    if (" \t\r\n".includes(first)) continue;
    const next = step(token, first, state, stack);
    if (next === null) return { tokens, fault: faultAt(text, start, expected(state, stack, token)) };
    tokens.push([next.kind, token]);
    state = next.state;
  }
  if (state !== "end") return { tokens,
    fault: faultAt(text, text.length, `The text ends here. ${expected(state, stack)}`) };
  return { tokens, fault: null };
}

function step(token, first, state, stack) {
  const after = () => (stack.length === 0 ? "end" : "comma");
  if (state === "colon") return token === ":" ? { kind: "mark", state: "value" } : null;
  if (state === "key" || state === "keyOrEnd") {
    if (first === "\"") return { kind: "key", state: "colon" };
    if (state === "keyOrEnd" && token === "}") {
      stack.pop();
      return { kind: "mark", state: after() };
    }
    return null;
  }
  if (state === "comma") {
    const inside = stack.at(-1);
    if (token === ",") return { kind: "mark", state: inside === "{" ? "key" : "value" };
    if (token === (inside === "{" ? "}" : "]")) {
      stack.pop();
      return { kind: "mark", state: after() };
    }
    return null;
  }
  if (state === "end") return null;
  if (token === "{" || token === "[") {
    stack.push(token);
    return { kind: "mark", state: token === "{" ? "keyOrEnd" : "valueOrEnd" };
  }
  if (token === "]" && state === "valueOrEnd") {
    stack.pop();
    return { kind: "mark", state: after() };
  }
  if (first === "\"") return { kind: "string", state: after() };
  if (/[-\d]/.test(first)) return { kind: "number", state: after() };
  if (/[tfn]/.test(first)) return { kind: "word", state: after() };
  return null;
}

function expected(state, stack, token = "") {
  if (token === "}" && state === "key") return "A comma before } is not allowed.";
  if (token === "]" && state === "value" && stack.at(-1) === "[") return "A comma before ] is not allowed.";
  const words = {
    value: "A value is expected.", valueOrEnd: "A value or ] is expected.", key: "A key in double quotes is expected.",
    keyOrEnd: "A key in double quotes or } is expected.", colon: "A colon is expected after the key.",
    comma: `A comma or ${stack.at(-1) === "{" ? "}" : "]"} is expected.`, end: "Nothing may follow the value.",
  };
  return words[state];
}

function wordsOf(text, offset, state, stack) {
  if (text[offset] === "'") return "Text is in double quotes, not in single ones.";
  if (text[offset] === "\"") return "This text does not end, or has an escape or a control character that JSON does not allow.";
  if (text.startsWith("//", offset) || text.startsWith("/*", offset)) return "JSON has no comments.";
  return expected(state, stack);
}

function faultAt(text, offset, message) {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { message, line, column: offset - before.lastIndexOf("\n"), offset };
}

/** The tokens as lines of [kind, text], indented by two spaces. */
export function jsonLines(tokens) {
  const lines = [];
  let line = [];
  let depth = 0;
  const end = () => {
    lines.push(line);
    line = depth > 0 ? [["mark", "  ".repeat(Math.min(depth, 60))]] : [];
  };
  tokens.forEach((token, index) => {
    const text = token[0] === "mark" ? token[1] : "";
    const next = tokens[index + 1]?.[1];
    if (text === "{" || text === "[") {
      line.push(token);
      if (next === "}" || next === "]") return;
      depth += 1;
      end();
    } else if (text === "}" || text === "]") {
      const before = tokens[index - 1];
      const isEmpty = before?.[0] === "mark" && (before[1] === "{" || before[1] === "[");
      if (!isEmpty) {
        depth -= 1;
        end();
      }
      line.push(token);
    } else if (text === ",") {
      line.push(token);
      end();
    } else if (text === ":") {
      line.push(["mark", ": "]);
    } else {
      line.push(token);
    }
  });
  lines.push(line);
  return lines;
}

/** The text formatted, or null if it is not JSON. */
export function formatJSON(text) {
  const { tokens, fault } = readJSON(text);
  return fault ? null : jsonLines(tokens).map((line) => line.map(([, part]) => part).join("")).join("\n");
}
