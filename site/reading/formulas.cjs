// Formulas to MathML: of each line of the input, [LaTeX, whether it stands alone] in JSON, one line of JSON comes back,
// [MathML, null] or [null, what is wrong].
const readline = require("node:readline");
const temml = require("../node_modules/temml/dist/temml.cjs");

function made([formula, alone]) {
  try {
    return [temml.renderToString(formula, { displayMode: alone, throwOnError: true }), null];
  } catch (error) {
    return [null, String(error.message)];
  }
}

readline.createInterface({ input: process.stdin }).on("line", (line) => console.log(JSON.stringify(made(JSON.parse(line)))));
