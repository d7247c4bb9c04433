//! The language server as an editor meets it: the built binary over standard input and output.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "common/client.rs"]
mod client;
mod common;

use client::Client;
use common::folder;
use serde_json::{json, Value};

const SCHEMA: &str = "event cart_added = \"Product Added\" { cart_id: text }\nevent purchased { order_id: text }\n\
    user { email: email?  country: one of \"IT\", \"ES\"? }\nchannel email to user.email\n";
const CART: &str =
    "journey cart {\n  on cart_added\n  exit on purchased\n  topic marketing\n  wait 2h\n  email reminder\n}\n";
const CONFIG: &str = "[project]\nname = \"shop\"\n";

fn shop(name: &str) -> std::path::PathBuf {
    folder(
        name,
        &[
            ("flow.toml", CONFIG),
            ("schema.flow", SCHEMA),
            ("cart.flow", CART),
            ("templates/reminder.email.liquid", "Hello"),
        ],
    )
}

fn none() -> Value {
    json!({})
}

#[test]
fn findings_follow_the_keys_over_the_whole_project() {
    let (mut client, about) = Client::start(&shop("lsp_findings"), none());
    assert_eq!(about["capabilities"]["positionEncoding"], "utf-16");
    client.open("cart.flow", CART);
    assert_eq!(client.findings("cart.flow"), [""; 0]);
    // A mistake in this file; it is not saved.
    client.change("cart.flow", 2, [2, 10, 2, 19], "purchsed");
    assert_eq!(client.findings("cart.flow"), ["2:10 F0202"]);
    // Another name in that file makes this one right, and nothing is saved.
    client.open("schema.flow", &SCHEMA.replace("event purchased", "event purchsed"));
    assert_eq!(client.findings("cart.flow"), [""; 0]);
    // What is closed without being saved is again as it is on disk.
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": client.uri("schema.flow") } }));
    assert_eq!(client.findings("cart.flow"), ["2:10 F0202"]);
    // The findings of a file that is not open are told, too.
    client.open("schema.flow", &SCHEMA.replace("event cart_added", "event cart_addd"));
    assert_eq!(client.findings("cart.flow"), ["1:5 F0202", "2:10 F0202"]);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_template_that_is_gone_is_missed() {
    let root = shop("lsp_template");
    let (mut client, _) = Client::start(&root, none());
    client.open("cart.flow", CART);
    assert_eq!(client.findings("cart.flow"), [""; 0]);
    std::fs::remove_file(root.join("templates/reminder.email.liquid")).unwrap();
    client.tell("workspace/didChangeWatchedFiles", json!({ "changes": [] }));
    assert_eq!(client.findings("cart.flow").len(), 1);
    // A template that is only open counts.
    client.open("templates/reminder.email.liquid", "Hi");
    assert_eq!(client.findings("cart.flow"), [""; 0]);
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_fix_mends_and_a_name_changes_everywhere() {
    let (mut client, _) = Client::start(&shop("lsp_fix"), none());
    client.open("cart.flow", &CART.replace("on purchased", "on purchsed"));
    assert_eq!(client.findings("cart.flow"), ["2:10 F0202"]);
    let place = json!({ "line": 2, "character": 12 });
    let params = json!({
        "textDocument": { "uri": client.uri("cart.flow") }, "range": { "start": place, "end": place },
        "context": { "diagnostics": [] },
    });
    let actions = client.ask("textDocument/codeAction", params).unwrap();
    assert_eq!(actions[0]["kind"], "quickfix");
    assert_eq!(actions[0]["edit"]["changes"][client.uri("cart.flow")][0]["newText"], "purchased");
    client.change("cart.flow", 2, [2, 10, 2, 18], "purchased");
    assert_eq!(client.findings("cart.flow"), [""; 0]);
    let edit = client.at("textDocument/rename", "cart.flow", 2, 12, &json!({ "newName": "bought" })).unwrap();
    assert_eq!(edit["changes"][client.uri("cart.flow")][0]["newText"], "bought");
    assert_eq!(edit["changes"][client.uri("schema.flow")][0]["newText"], "bought = \"purchased\"");
    let refused = client.at("textDocument/rename", "cart.flow", 2, 12, &json!({ "newName": "wait" }));
    assert!(refused.unwrap_err().contains("is a word of the language"));
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_warning_is_allowed_by_a_line_above_it() {
    let (mut client, _) = Client::start(&shop("lsp_allow"), none());
    let text = "journey Cart {\n  on purchased\n  wait 1h\n  if true then end\n}\n";
    client.open("cart.flow", text);
    let found = client.findings("cart.flow");
    assert!(found.contains(&"0:8 F0711".to_owned()), "{found:?}");
    let place = json!({ "line": 0, "character": 9 });
    let params = json!({
        "textDocument": { "uri": client.uri("cart.flow") }, "range": { "start": place, "end": place },
        "context": { "diagnostics": [] },
    });
    let actions = client.ask("textDocument/codeAction", params).unwrap();
    assert_eq!(actions[0]["title"], "allow F0711 here, with a reason");
    let edit = &actions[0]["edit"]["changes"][client.uri("cart.flow")][0];
    assert_eq!(edit["newText"], "# allow F0711: say why\n");
    client.change("cart.flow", 2, [0, 0, 0, 0], edit["newText"].as_str().unwrap());
    let found = client.findings("cart.flow");
    assert!(!found.iter().any(|one| one.contains("F0711")), "{found:?}");
    assert_eq!(client.leave(), 0);
}

#[test]
fn templates_are_renamed_with_their_files_where_the_editor_can() {
    let root = shop("lsp_files");
    let (mut client, _) = Client::start(&root, none());
    client.open("cart.flow", CART);
    let new = json!({ "newName": "come_back" });
    assert!(client.at("textDocument/rename", "cart.flow", 5, 10, &new).unwrap_err().contains("cannot rename files"));
    assert_eq!(client.leave(), 0);
    let can =
        json!({ "workspace": { "workspaceEdit": { "documentChanges": true, "resourceOperations": ["rename"] } } });
    let (mut client, _) = Client::start(&root, can);
    client.open("cart.flow", CART);
    let edit = client.at("textDocument/rename", "cart.flow", 5, 10, &new).unwrap();
    let changes = edit["documentChanges"].as_array().unwrap();
    assert_eq!(changes[0]["textDocument"]["version"], 1);
    assert_eq!(changes[1]["kind"], "rename");
    assert_eq!(changes[1]["newUri"], client.uri("templates/come_back.email.liquid"));
    assert_eq!(client.leave(), 0);
}

#[test]
fn columns_are_counted_as_agreed() {
    let root = shop("lsp_columns");
    let text = CART.replace("email reminder", "email \"𝄞ä {user.contry ?? \"x\"}\"");
    for (agreed, column) in [("utf-16", 19), ("utf-8", 22)] {
        let (mut client, about) =
            Client::start(&root, json!({ "general": { "positionEncodings": [agreed, "utf-16"] } }));
        assert_eq!(about["capabilities"]["positionEncoding"], agreed);
        client.open("cart.flow", &text);
        let code = client.findings("cart.flow");
        assert_eq!(code.len(), 1);
        assert!(code[0].starts_with(&format!("5:{column} ")), "{agreed}: {code:?}");
        // A change behind those characters lands where it should.
        client.change("cart.flow", 2, [5, column, 5, column + 6], "country");
        assert_eq!(client.findings("cart.flow"), [""; 0], "{agreed}");
        assert_eq!(client.leave(), 0);
    }
}

#[test]
fn a_crash_is_an_answer_and_not_the_end() {
    let (mut client, _) = Client::start(&shop("lsp_crash"), none());
    client.open("cart.flow", CART);
    assert_eq!(client.ask("flow/crash", json!({})), Err("-32603 `flow/crash` failed".to_owned()));
    assert_eq!(client.ask("flow/unknown", json!({})), Err("-32601 `flow/unknown` is not known here".to_owned()));
    assert!(client.ask("textDocument/hover", json!({ "wrong": 1 })).is_err());
    let hover = client.at("textDocument/hover", "cart.flow", 2, 12, &none()).unwrap();
    assert!(hover["contents"]["value"].as_str().unwrap().contains("event purchased"), "{hover}");
    assert_eq!(client.leave(), 0);
}

#[test]
fn every_feature_answers() {
    let (mut client, _) = Client::start(&shop("lsp_features"), none());
    let untidy = CART.replace("  wait 2h", "  wait   2 hours\n  wait 1d");
    client.open("cart.flow", &untidy);
    let document = json!({ "textDocument": { "uri": client.uri("cart.flow") } });
    let with = |key: &str, value: Value| {
        let mut params = document.clone();
        params[key] = value;
        params
    };
    let whole = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let edits = client.ask("textDocument/formatting", with("options", options)).unwrap();
    assert_eq!(edits[0]["newText"], "  wait 2h\n");
    assert_eq!(edits.as_array().unwrap().len(), 1);
    let symbols = client.ask("textDocument/documentSymbol", document.clone()).unwrap();
    assert_eq!(symbols[0]["name"], "cart");
    let hints = client.ask("textDocument/inlayHint", with("range", whole)).unwrap();
    assert_eq!(hints[1]["label"], "1d 2h after entry");
    let tokens = client.ask("textDocument/semanticTokens/full", document.clone()).unwrap();
    assert!(tokens["data"].as_array().unwrap().len() > 50);
    assert_eq!(client.ask("textDocument/foldingRange", document.clone()).unwrap()[0]["startLine"], 0);
    let position = json!([{ "line": 2, "character": 12 }]);
    assert!(client.ask("textDocument/selectionRange", with("positions", position)).unwrap()[0]["parent"].is_object());
    let lenses = client.ask("textDocument/codeLens", document.clone()).unwrap();
    assert_eq!(lenses[0]["command"]["command"], "flow.showGraph");
    let links = client.ask("textDocument/documentLink", document.clone()).unwrap();
    assert_eq!(links[0]["target"], client.uri("templates/reminder.email.liquid"));
    let found = client.ask("workspace/symbol", json!({ "query": "purch" })).unwrap();
    assert_eq!(found[0]["name"], "purchased");
    let definition = client.at("textDocument/definition", "cart.flow", 2, 12, &none()).unwrap();
    assert_eq!(definition[0]["uri"], client.uri("schema.flow"));
    let context = json!({ "context": { "includeDeclaration": true } });
    let references = client.at("textDocument/references", "cart.flow", 2, 12, &context).unwrap();
    assert_eq!(references.as_array().unwrap().len(), 2);
    let same = client.at("textDocument/documentHighlight", "cart.flow", 2, 12, &none()).unwrap();
    assert_eq!(same.as_array().unwrap().len(), 1);
    let range = client.at("textDocument/prepareRename", "cart.flow", 2, 12, &none()).unwrap();
    assert_eq!(range["start"]["character"], 10);
    let items = client.at("textDocument/completion", "cart.flow", 2, 10, &none()).unwrap();
    assert!(items.as_array().unwrap().iter().any(|item| item["label"] == "purchased"));
    assert_eq!(client.leave(), 0);
}

#[test]
fn a_file_alone_is_a_project() {
    let root = folder("lsp_alone", &[]);
    let (mut client, _) = Client::start(&root.join("elsewhere"), none());
    client.open("one.flow", "on cart_added wait 2h if not purchased then email cart_reminder");
    let found = client.findings("one.flow");
    assert!(found.iter().all(|code| !code.contains("F03")), "{found:?}");
    let hover = client.at("textDocument/hover", "one.flow", 0, 5, &none()).unwrap();
    assert!(hover["contents"]["value"].as_str().unwrap().contains("inferred from use"));
    assert_eq!(client.leave(), 0);
}
