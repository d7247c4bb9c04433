// What the commands run: the arguments of flowc, apart from VS Code, so that tests can look at them.

/** The arguments that run the one test of this name in the project at `root`. */
function testArguments(root, name) {
  return ['test', root, name]
}

/** The arguments that list the steps of a project's journeys. */
function graphArguments(root) {
  return ['dump', '--graph', root]
}

/** The part of `flowc dump --graph` that is about one journey. */
function graphOf(listing, journey) {
  const parts = listing.split(/^(?=journey )/m)
  const found = parts.find((part) => part.split(/\s+/)[1] === journey)
  return (found ?? listing).trimEnd() + '\n'
}

/** The program and arguments that start the language server. */
function server(path) {
  return { command: path || 'flowc', args: ['lsp'] }
}

module.exports = { testArguments, graphArguments, graphOf, server }
