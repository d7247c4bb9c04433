// The extension: starts `flowc lsp`, and runs flowc for the commands that the server offers.

const { execFile } = require('node:child_process')
const vscode = require('vscode')
const { LanguageClient, TransportKind } = require('vscode-languageclient/node')
const { testArguments, graphArguments, graphOf, server } = require('./commands')

let client

function flowc() {
  return vscode.workspace.getConfiguration('flow').get('path') || 'flowc'
}

function newClient() {
  const { command, args } = server(flowc())
  const run = { command, args, transport: TransportKind.stdio }
  return new LanguageClient('flow', 'Flow', { run, debug: run }, {
    documentSelector: [
      { scheme: 'file', language: 'flow' },
      { scheme: 'file', pattern: '**/templates/**' },
      { scheme: 'file', pattern: '**/flow.toml' },
    ],
  })
}

async function start() {
  client = newClient()
  try {
    await client.start()
  } catch (error) {
    const open = 'Open the setting'
    const said = await vscode.window.showErrorMessage(`flowc cannot be started: ${error.message}`, open)
    if (said === open) await vscode.commands.executeCommand('workbench.action.openSettings', 'flow.path')
  }
}

/** The folder that a command is about, when it names none. */
function folder() {
  const file = vscode.window.activeTextEditor?.document.uri
  const here = file && vscode.workspace.getWorkspaceFolder(file)
  return (here ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath
}

/** Runs flowc as a task, in the terminal that people know. */
function task(name, args, matcher = ['$flowc']) {
  const scope = vscode.workspace.workspaceFolders?.[0] ?? vscode.TaskScope.Workspace
  const execution = new vscode.ProcessExecution(flowc(), args)
  const made = new vscode.Task({ type: 'flow', command: args[0] }, scope, name, 'flow', execution, matcher)
  made.presentationOptions = { clear: true, showReuseMessage: false }
  return vscode.tasks.executeTask(made)
}

function showGraph(root, journey) {
  execFile(flowc(), graphArguments(root), { maxBuffer: 1 << 26 }, async (error, out, err) => {
    if (error && !out) {
      vscode.window.showErrorMessage(`There is no graph: ${err || error.message}`)
      return
    }
    const document = await vscode.workspace.openTextDocument({ content: graphOf(out, journey) })
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true })
  })
}

async function runOverEvents() {
  const chosen = await vscode.window.showOpenDialog({ filters: { Events: ['jsonl', 'csv', 'gz', 'zst'] } })
  if (chosen?.length) await task('run', ['run', folder() ?? '.', '--events', chosen[0].fsPath], [])
}

function tasks() {
  const scope = vscode.workspace.workspaceFolders?.[0] ?? vscode.TaskScope.Workspace
  return [['check', '--format', 'short'], ['test'], ['fmt']].map((args) => {
    const execution = new vscode.ProcessExecution(flowc(), args)
    return new vscode.Task({ type: 'flow', command: args[0] }, scope, args[0], 'flow', execution, ['$flowc'])
  })
}

async function activate(context) {
  const on = (name, run) => context.subscriptions.push(vscode.commands.registerCommand(name, run))
  on('flow.runTest', (root, name) => task(`test ${name}`, testArguments(root, name)))
  on('flow.showGraph', showGraph)
  on('flow.runTests', () => task('test', ['test', folder() ?? '.']))
  on('flow.check', () => task('check', ['check', folder() ?? '.', '--format', 'short']))
  on('flow.run', runOverEvents)
  on('flow.restart', async () => {
    await client?.stop()
    await start()
  })
  const provider = { provideTasks: tasks, resolveTask: () => undefined }
  context.subscriptions.push(vscode.tasks.registerTaskProvider('flow', provider))
  await start()
}

function deactivate() {
  return client?.stop()
}

module.exports = { activate, deactivate }
