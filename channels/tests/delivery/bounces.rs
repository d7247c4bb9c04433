//! Mails that came back, as Postfix, Exchange and a feedback loop write them.

use crate::support::folder;
use flow_channels::bounce::{event, read, read_mailbox, Fate};
use proptest::prelude::*;

fn told(file: &str) -> Vec<String> {
    let mail = std::fs::read(folder().join("bounces").join(file)).unwrap();
    let shown = |report: &flow_channels::bounce::Report| {
        let event = event("email", report);
        let recipient = report.recipient.as_deref().unwrap_or("?");
        format!("{recipient}: {} {}", event.name, serde_json::Value::Object(event.properties))
    };
    read(&mail).iter().map(shown).collect()
}

#[test]
fn bounces_say_whether_the_address_is_of_no_use() {
    assert_eq!(
        told("unknown.eml"),
        ["ada@x.example: email Bounced {\"message\":\"00f1a2b3c4d5e6f7\",\"reason\":\"550 5.1.1 <ada@x.example>: \
          Recipient address rejected: User unknown in virtual mailbox table\",\"status\":\"5.1.1\",\"type\":\"hard\"}"]
    );
    assert_eq!(
        told("full.eml"),
        ["bob@x.example: email Bounced {\"message\":\"aaaaaaaaaaaaaaaa\",\"reason\":\"554 5.2.2 mailbox full; \
          STOREDRV.Deliver.Exception:QuotaExceededException\",\"status\":\"5.2.2\",\"type\":\"soft\"}"]
    );
    assert_eq!(
        told("several.eml"),
        [
            "eve@x.example: email Delivered {\"status\":\"2.0.0\"}",
            "mallory@x.example: email Bounced {\"reason\":\"550 No such user here\",\"status\":\"5.0.0\",\"type\":\"hard\"}",
            "trent@x.example: email Bounced {\"reason\":\"550 5.7.1 Message rejected as spam\",\"status\":\"5.7.1\",\"type\":\"soft\"}",
        ]
    );
}

#[test]
fn a_complaint_names_its_message() {
    assert_eq!(told("complaint.eml"), ["ada@x.example: email Complained {\"message\":\"00f1a2b3c4d5e6f7\"}"]);
}

#[test]
fn delays_and_replies_are_no_bounces() {
    assert!(told("delayed.eml").is_empty() && told("reply.eml").is_empty());
    assert!(read(b"").is_empty() && read(&[0xff; 1000]).is_empty());
}

#[test]
fn a_mailbox_file_is_read_whole() {
    let mut mailbox = Vec::new();
    for file in ["unknown.eml", "reply.eml", "full.eml", "complaint.eml"] {
        mailbox.extend_from_slice(b"From MAILER-DAEMON Mon Mar  2 12:00:03 2026\n");
        mailbox.extend(std::fs::read(folder().join("bounces").join(file)).unwrap());
        mailbox.push(b'\n');
    }
    let fates: Vec<_> = read_mailbox(mailbox.as_slice()).unwrap().into_iter().map(|report| report.fate).collect();
    assert_eq!(fates, [Fate::HardBounce, Fate::SoftBounce, Fate::Complaint]);
    assert!(read_mailbox(&b"no mailbox"[..]).unwrap().is_empty());
}

proptest! {
    /// Anybody can send mail to where bounces go.
    #[test]
    fn no_mail_is_too_wild(file in 0..4_usize, at in 0..2_000_usize, bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let files = ["unknown.eml", "several.eml", "complaint.eml", "full.eml"];
        let mut mail = std::fs::read(folder().join("bounces").join(files[file])).unwrap();
        let at = at.min(mail.len());
        let end = (at + bytes.len()).min(mail.len());
        mail.splice(at..end, bytes);
        for report in read(&mail) {
            prop_assert!(event("email", &report).name.starts_with("email "));
        }
    }
}
