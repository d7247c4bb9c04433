// Where things are, and the server that the tests talk to.

const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const rpc = require('vscode-languageserver-protocol/node')
const { server } = require('../src/commands')

const top = path.resolve(__dirname, '../../..')

/** The built program: $FLOWC, else what cargo built last. */
function flowc() {
  const built = ['release', 'debug'].map((kind) => path.join(top, 'target', kind, 'flowc'))
  const found = process.env.FLOWC ?? built.find((file) => fs.existsSync(file))
  if (!found) throw new Error('there is no flowc: build it, or name it with $FLOWC')
  return found
}

/** Every program below examples/, as paths. */
function examples(folder = path.join(top, 'examples')) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const inner = path.join(folder, entry.name)
    if (entry.isDirectory()) return examples(inner)
    return entry.name.endsWith('.flow') ? [inner] : []
  })
}

/** Starts the server as the extension does, and opens the folder. */
async function connect(t, root, capabilities = {}) {
  const { command, args } = server(flowc())
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  const reader = new rpc.StreamMessageReader(child.stdout)
  const connection = rpc.createProtocolConnection(reader, new rpc.StreamMessageWriter(child.stdin))
  connection.listen()
  const uri = 'file://' + root
  const about = await connection.sendRequest(rpc.InitializeRequest.type, {
    processId: process.pid,
    rootUri: uri,
    capabilities,
    workspaceFolders: [{ uri, name: 'project' }],
  })
  await connection.sendNotification(rpc.InitializedNotification.type, {})
  const leave = async () => {
    await connection.sendRequest(rpc.ShutdownRequest.type)
    await connection.sendNotification(rpc.ExitNotification.type)
    return new Promise((done) => child.once('exit', done))
  }
  return { connection, about, leave, uri: (name) => uri + '/' + name }
}

module.exports = { top, flowc, examples, connect, run: (...args) => execFileSync(flowc(), args, { encoding: 'utf8' }) }
