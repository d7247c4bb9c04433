// The colours without a server: held against the grammar of the language, and against the server's.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const test = require('node:test')
const oniguruma = require('vscode-oniguruma')
const textmate = require('vscode-textmate')
const rpc = require('vscode-languageserver-protocol/node')
const { connect, examples, top } = require('./common')

const grammarFile = path.join(__dirname, '../syntaxes/flow.tmLanguage.json')

async function load() {
  const wasm = fs.readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'))
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength))
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(grammarFile, 'utf8'), grammarFile),
  })
  return registry.loadGrammar('source.flow')
}

const grammar = load()

/** For each line, its tokens: text, place, innermost scope. */
async function tokens(text) {
  const rules = await grammar
  let stack = textmate.INITIAL
  return text.split('\n').map((line) => {
    const result = rules.tokenizeLine(line, stack)
    stack = result.ruleStack
    return result.tokens.map(({ startIndex, endIndex, scopes }) => ({
      text: line.slice(startIndex, endIndex), startIndex, endIndex, scopes,
    }))
  })
}

test('every keyword of the grammar is coloured as one', async () => {
  const pest = fs.readFileSync(path.join(top, 'grammar/src/flow.pest'), 'utf8')
  const words = [...pest.matchAll(/^kw_\w+\s*= @\{ "(\w+)"/gm)].map((found) => found[1])
  const rule = (name) => [...pest.match(new RegExp(`^${name}\\s*= @\\{[^}]*\\}`, 'm'))[0].matchAll(/"(\w+)"/g)].map((m) => m[1])
  const all = new Set([...words, ...rule('reserved_word'), ...rule('day_word'), ...rule('http_method')])
  assert.ok(all.size > 100, `only ${all.size} words were found`)
  for (const word of all) {
    const [[token]] = await tokens(word)
    const scope = token.scopes.at(-1)
    assert.match(scope, /^(keyword|storage\.type|constant\.language)\./, `${word} is ${scope}`)
    assert.strictEqual(token.text, word)
  }
})

test('the examples have no word without a colour', async () => {
  const files = examples()
  assert.ok(files.length > 60)
  for (const file of files) {
    for (const [number, line] of (await tokens(fs.readFileSync(file, 'utf8'))).entries()) {
      for (const token of line) {
        const bare = token.scopes.length === 1 && token.text.trim()
        assert.ok(!bare, `${file}:${number + 1}: \`${token.text}\` has no colour`)
      }
    }
  }
})

test('a text ends with its line, and its holes are code', async () => {
  const [line, after] = await tokens('sms "Hi {user.first_name ?? "you"}, \\{x\nwait 2h')
  const scope = (text) => line.find((token) => token.text.trim() === text).scopes.join(' ')
  assert.match(scope('Hi'), /string/)
  assert.match(scope('user'), /embedded.*storage/)
  assert.match(scope('you'), /embedded.*string/)
  assert.match(after[0].scopes.at(-1), /keyword/)
})

/** What the server calls a token, as scopes. */
const SAME = {
  keyword: /^(keyword|storage\.type|constant\.language|support\.type)\./,
  comment: /^comment\./,
  number: /^constant\.numeric\./,
  string: /^(string|constant\.character\.escape|punctuation\.section\.embedded|meta\.embedded|punctuation|keyword|variable|constant|storage|entity)\b/,
  type: /^(support\.type|entity\.name\.type|variable|keyword|storage\.type)\./,
}
const NAME = /^(variable|entity|keyword|storage|support|constant\.language)\b/

test('the colours are those of the server', async (t) => {
  const root = path.join(top, 'examples/shop')
  const { connection, about, leave, uri } = await connect(t, root)
  const legend = about.capabilities.semanticTokensProvider.legend.tokenTypes
  let compared = 0
  for (const file of examples(root)) {
    const text = fs.readFileSync(file, 'utf8')
    const document = { uri: uri(path.relative(root, file)), languageId: 'flow', version: 1, text }
    await connection.sendNotification(rpc.DidOpenTextDocumentNotification.type, { textDocument: document })
    const { data } = await connection.sendRequest(rpc.SemanticTokensRequest.type, { textDocument: { uri: document.uri } })
    const lines = await tokens(text)
    let [line, start] = [0, 0]
    for (let at = 0; at < data.length; at += 5) {
      if (data[at] > 0) start = 0
      line += data[at]
      start += data[at + 1]
      const token = lines[line].find((one) => one.startIndex <= start && start < one.endIndex)
      const kind = legend[data[at + 3]]
      const scope = token.scopes.at(-1)
      const place = `${file}:${line + 1}:${start + 1}: \`${token.text}\` is ${kind} for the server and ${scope} without`
      assert.match(scope, SAME[kind] ?? NAME, place)
      compared += 1
    }
  }
  assert.ok(compared > 500)
  assert.strictEqual(await leave(), 0)
})
