//! What is said in the forum.

use super::State;
use crate::event::Event;
use crate::record::FindingRecord;
use aar_api::forum::Comment;
use std::collections::BTreeMap;

impl State {
    /// A post, a comment, a vote.
    pub(super) fn discussed(&mut self, at_ms: i64, event: &Event) {
        match event {
            Event::Posted(posted) => {
                let id = self.findings.len() as i64 + 1;
                self.findings.push(FindingRecord {
                    id,
                    posted: posted.clone(),
                    at_ms,
                    comments: vec![],
                    votes: BTreeMap::new(),
                });
            }
            Event::Commented { finding, by, body, turn, key } => {
                if let Some(finding) = self.findings.get_mut(*finding as usize - 1) {
                    let comment = Comment { by: by.clone(), body: body.clone(), at_ms, turn: *turn };
                    finding.comments.push((key.clone(), comment));
                }
            }
            Event::Voted { finding, by, value, turn } => {
                if let Some(finding) = self.findings.get_mut(*finding as usize - 1) {
                    finding.votes.insert(by.clone(), (*value, *turn));
                }
            }
            _ => {}
        }
    }
}
