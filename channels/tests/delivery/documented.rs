//! `docs/channels.md`: every block of TOML opens, and every backend and key stands there.

use crate::support::{folder, private_key, scratch, EC, RSA};
use flow_channels::{backends, Secrets};
use std::collections::BTreeSet;
use toml::Table;

fn page() -> String {
    std::fs::read_to_string(folder().join("../../../docs/channels.md")).unwrap()
}

fn blocks(page: &str) -> Vec<Table> {
    let blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|text| text.parse().unwrap_or_else(|error| panic!("{text}\n{error}"))).collect()
}

#[test]
fn every_block_opens() {
    let (Some(rsa), Some(ec)) = (private_key(RSA), private_key(EC)) else { return };
    let project = scratch("documented");
    std::fs::create_dir_all(project.join("secrets")).unwrap();
    let account = serde_json::json!({
        "project_id": "shop-1", "private_key": rsa, "client_email": "a@b.example", "token_uri": "https://oauth2.example/token"
    });
    for (file, text) in [("dkim.pem", &rsa), ("AuthKey.p8", &ec), ("firebase.json", &account.to_string())] {
        std::fs::write(project.join("secrets").join(file), text).unwrap();
    }
    std::fs::write(project.join("deliver.py"), "").unwrap();
    let given = [
        ("SMTP_PASSWORD", "hunter2"),
        ("SMTP_URL", "smtps://u:p%40ss@mail.example.com"),
        ("TWILIO_TOKEN", "token"),
        ("WHATSAPP_TOKEN", "EAAJB"),
        ("VAPID_KEY", "RS0WdYWWo1HajXg3NZR1olzCf31i-ZBGDkFyCs7j1jw"),
        ("SLACK_TOKEN", "xoxb-1"),
        ("SLACK_HOOK", "https://hooks.slack.example/services/T0/B0/XX"),
        ("HOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("CRM_KEY", "k"),
    ];
    let secrets = Secrets::given(given, &project);
    let mut opened = BTreeSet::new();
    for block in blocks(&page()) {
        for (name, table) in block.get("audiences").and_then(|tables| tables.as_table()).into_iter().flatten() {
            let opened = flow_channels::audiences::open(name, table.as_table().unwrap(), &secrets);
            opened.map(|_| ()).unwrap_or_else(|e| panic!("{e}"));
        }
        for (name, table) in block.get("channels").and_then(|tables| tables.as_table()).into_iter().flatten() {
            let table = table.as_table().unwrap();
            let channel = flow_channels::open(name, table, &secrets);
            channel
                .map(|_| ())
                .and_then(|()| flow_channels::policy(name, table, &secrets).map(|_| ()))
                .unwrap_or_else(|e| panic!("{e}"));
            opened.insert(table["backend"].as_str().unwrap().to_owned());
        }
    }
    let all: BTreeSet<String> = backends::names().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(opened, all, "each backend has an example");
}

#[test]
fn every_backend_and_key_is_described() {
    let page = page();
    for (backend, keys) in backends::names() {
        let section = page.split("\n## ").find(|section| section.starts_with(&format!("`{backend}`")));
        let section = section.unwrap_or_else(|| panic!("no section begins with `{backend}`"));
        for key in keys {
            let written = section.contains(&format!("`{key}`")) || section.contains(&format!("{key} = "));
            assert!(written || page.contains(&format!("| `{key}` |")), "`{key}` of `{backend}`");
        }
    }
}
