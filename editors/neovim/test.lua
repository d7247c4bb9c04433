-- What somebody does with Flow in Neovim, without a screen: opens a project, types a mistake, reads
-- the finding, applies the fix, renames an event, formats. Run by cli/tests/neovim.rs.

local function fail(what)
  io.stderr:write("failed: " .. what .. "\n")
  for _, found in ipairs(vim.diagnostic.get(0)) do
    io.stderr:write("  finding: " .. found.message .. "\n")
  end
  io.stderr:write(table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n") .. "\n")
  vim.cmd("cquit 1")
end

local function wait_until(what, condition)
  if not vim.wait(30000, condition, 20) then fail(what) end
end

local function line(number, buffer)
  return vim.api.nvim_buf_get_lines(buffer or 0, number - 1, number, false)[1]
end

vim.ui.select = function(items, _, choose) choose(items[1], 1) end

vim.cmd("edit cart.flow")
wait_until("the server attaches", function() return next(vim.lsp.buf_get_clients(0)) ~= nil end)

-- A mistake, as it is typed.
vim.api.nvim_buf_set_text(0, 2, 10, 2, 19, { "purchsed" })
wait_until("the finding is shown", function() return #vim.diagnostic.get(0) == 1 end)
local found = vim.diagnostic.get(0)[1]
if not found.message:find("there is no event `purchsed`", 1, true) then fail("the finding says what is wrong") end
if found.code ~= "F0202" then fail("the finding has its code") end

-- Its fix.
vim.api.nvim_win_set_cursor(0, { 3, 12 })
vim.lsp.buf.code_action()
wait_until("the fix is applied", function() return line(3) == "  exit on purchased" end)
wait_until("the finding is gone", function() return #vim.diagnostic.get(0) == 0 end)

-- Another name for the event, in both files; inputs call it what they always did.
vim.api.nvim_win_set_cursor(0, { 3, 12 })
vim.lsp.buf.rename("bought")
wait_until("the event is renamed here", function() return line(3) == "  exit on bought" end)
local schema = vim.fn.bufadd("schema.flow")
wait_until("the event is renamed where it is declared", function()
  return vim.api.nvim_buf_is_loaded(schema) and line(2, schema) == 'event bought = "purchased" { order_id: text }'
end)
wait_until("nothing is wrong", function() return #vim.diagnostic.get(0) == 0 end)

-- One layout.
vim.api.nvim_buf_set_lines(0, 4, 5, false, { "  wait   2 hours" })
vim.wait(200)
if vim.lsp.buf.format then vim.lsp.buf.format() else vim.lsp.buf.formatting_sync() end
wait_until("the file is formatted", function() return line(5) == "  wait 2h" end)

io.stderr:write("all is well\n")
vim.cmd("qall!")
