// The extension with a stand-in for VS Code: what it registers, starts and runs.

const assert = require('node:assert')
const fs = require('node:fs')
const Module = require('node:module')
const path = require('node:path')
const test = require('node:test')
const { graphOf } = require('../src/commands')
const { run, top } = require('./common')

const manifest = JSON.parse(fs.readFileSync(path.join(__dirname, '../package.json'), 'utf8'))

test('the server is started, and every command of manifest and server is there', async () => {
  const commands = new Map()
  const ran = []
  const started = []
  const vscode = {
    workspace: { getConfiguration: () => ({ get: () => 'flowc' }), workspaceFolders: [{ uri: { fsPath: '/shop' } }] },
    window: {},
    commands: { registerCommand: (name, run) => commands.set(name, run) },
    tasks: { registerTaskProvider: () => ({}), executeTask: (task) => ran.push(task) },
    Task: class { constructor(kind, scope, name, source, execution) { Object.assign(this, { name, execution }) } },
    ProcessExecution: class { constructor(command, args) { Object.assign(this, { command, args }) } },
    TaskScope: { Workspace: 2 },
  }
  const languageClient = {
    LanguageClient: class {
      constructor(id, name, server, options) { Object.assign(this, { server, options }) }
      async start() { started.push(this) }
      async stop() {}
    },
    TransportKind: { stdio: 0 },
  }
  const load = Module._load
  Module._load = (name, ...rest) =>
    name === 'vscode' ? vscode : name === 'vscode-languageclient/node' ? languageClient : load(name, ...rest)
  const extension = require('../src/extension')
  await extension.activate({ subscriptions: [] })
  await extension.deactivate()
  Module._load = load
  assert.deepStrictEqual(started[0].server.run, { command: 'flowc', args: ['lsp'], transport: 0 })
  for (const { command } of manifest.contributes.commands) assert.ok(commands.has(command), command)
  for (const command of ['flow.runTest', 'flow.showGraph']) assert.ok(commands.has(command), command)
  commands.get('flow.runTest')('/shop', 'a buyer is left alone')
  assert.deepStrictEqual(ran[0].execution.args, ['test', '/shop', 'a buyer is left alone'])
})

test('the graph of one journey is cut out of the listing', () => {
  const listing = run('dump', '--graph', path.join(top, 'examples/shop'))
  const names = [...listing.matchAll(/^journey (\w+)/gm)].map((found) => found[1])
  assert.ok(names.length > 3)
  for (const name of names) {
    const graph = graphOf(listing, name)
    assert.ok(graph.startsWith(`journey ${name}`), graph)
    assert.strictEqual(graph.match(/^journey /gm).length, 1)
  }
})

test('the problem matcher reads what flowc prints', () => {
  const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'flow-'))
  fs.writeFileSync(path.join(folder, 'a.flow'), 'event a\nchannel inbox\njourney x {\n  on b\n  inbox "hi"\n}\n')
  let out = ''
  try {
    run('check', folder, '--format', 'short')
  } catch (error) {
    out = error.stdout
  }
  const [{ pattern }] = manifest.contributes.problemMatchers
  const found = new RegExp(pattern.regexp).exec(out.split('\n')[0])
  assert.deepStrictEqual([...found].slice(2, 6), ['4', '6', 'error', 'F0202'], out)
  assert.ok(found[pattern.file].endsWith('a.flow'))
})
