// The real server, through the protocol library that vscode-languageclient is made of.

const assert = require('node:assert')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const test = require('node:test')
const rpc = require('vscode-languageserver-protocol/node')
const { connect } = require('./common')

const SCHEMA = 'event cart_added = "Product Added" { cart_id: text }\nevent purchased { order_id: text }\n' +
  'user { email: email? }\nchannel email to user.email\n'
const CART = 'journey cart {\n  on cart_added\n  exit on purchsed\n  wait 2h\n  email "Hi"\n}\n'

function project() {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'flow-'))
  fs.writeFileSync(path.join(root, 'flow.toml'), '[project]\nname = "shop"\n')
  fs.writeFileSync(path.join(root, 'schema.flow'), SCHEMA)
  fs.writeFileSync(path.join(root, 'cart.flow'), CART)
  return root
}

test('a mistake is found, mended, and its event renamed', async (t) => {
  const root = project()
  const { connection, about, leave, uri } = await connect(t, root)
  assert.strictEqual(about.serverInfo.name, 'flowc')
  const found = []
  const next = () => new Promise((done) => found.push(done))
  connection.onNotification(rpc.PublishDiagnosticsNotification.type, (params) => {
    if (params.uri.endsWith('cart.flow')) found.shift()?.(params.diagnostics)
  })
  const first = next()
  const document = { uri: uri('cart.flow'), languageId: 'flow', version: 1, text: CART }
  await connection.sendNotification(rpc.DidOpenTextDocumentNotification.type, { textDocument: document })
  const [mistake] = await first
  assert.deepStrictEqual([mistake.code, mistake.range.start], ['F0202', { line: 2, character: 10 }])
  const asked = { textDocument: { uri: document.uri }, range: mistake.range, context: { diagnostics: [mistake] } }
  const [fix] = await connection.sendRequest(rpc.CodeActionRequest.type, asked)
  const [edit] = fix.edit.changes[document.uri]
  assert.strictEqual(edit.newText, 'purchased')
  const mended = next()
  const changed = { textDocument: { uri: document.uri, version: 2 }, contentChanges: [{ range: edit.range, text: edit.newText }] }
  await connection.sendNotification(rpc.DidChangeTextDocumentNotification.type, changed)
  assert.deepStrictEqual(await mended, [])
  const place = { textDocument: { uri: document.uri }, position: { line: 2, character: 12 } }
  const renamed = await connection.sendRequest(rpc.RenameRequest.type, { ...place, newName: 'bought' })
  assert.strictEqual(renamed.changes[uri('schema.flow')][0].newText, 'bought = "purchased"')
  const items = await connection.sendRequest(rpc.CompletionRequest.type, place)
  assert.ok((items.items ?? items).some((item) => item.label === 'purchased'))
  const lenses = await connection.sendRequest(rpc.CodeLensRequest.type, { textDocument: { uri: document.uri } })
  assert.deepStrictEqual(lenses.map((lens) => [lens.command.command, lens.command.arguments[1]]), [['flow.showGraph', 'cart']])
  assert.strictEqual(await leave(), 0)
  fs.rmSync(root, { recursive: true })
})
