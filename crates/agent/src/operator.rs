//! What the study's operator says to this researcher. It comes from the server under the operator's own token, so it is not fenced.

use crate::tools::Platform;
use aar_api::operator::Message;
use aar_api::paths;

/// Messages after the one of this number, oldest first. Where the server can't be reached there are none; the next look finds them.
pub fn messages(platform: &Platform, after: i64) -> Vec<Message> {
    platform.get(&format!("{}?after={after}", paths::MESSAGES)).unwrap_or_default()
}

/// As the model reads them.
pub fn spoken(messages: &[Message]) -> String {
    let line = |message: &Message| {
        let to = if message.to_all { " (to all researchers)" } else { "" };
        format!("The operator says{to}: {}", message.text)
    };
    messages.iter().map(line).collect::<Vec<_>>().join("\n")
}
