//! Full-text search of the forum: the text of every finding with its comments, in lower case, kept and grown as the forum grows.

use crate::record::FindingRecord;
use std::sync::Mutex;

/// The text of all findings, in their order.
#[derive(Default)]
pub struct Index {
    texts: Mutex<Vec<Text>>,
}

#[derive(Default)]
struct Text {
    text: String,
    /// Comments in it.
    comments: usize,
}

impl Index {
    /// Which of `all` hold every word of `query`, beside them; an empty query is held by all. `all` only ever grows.
    pub fn holds(&self, all: &[FindingRecord], query: &str) -> Vec<bool> {
        let words: Vec<String> = query.to_lowercase().split_whitespace().map(str::to_owned).collect();
        if words.is_empty() {
            return vec![true; all.len()];
        }
        let Ok(mut texts) = self.texts.lock() else { return vec![false; all.len()] };
        let known = texts.len();
        texts.resize_with(all.len().max(known), Text::default);
        for (text, finding) in texts.iter_mut().zip(all) {
            text.read(finding);
        }
        texts.iter().take(all.len()).map(|text| words.iter().all(|word| text.text.contains(word.as_str()))).collect()
    }
}

impl Text {
    fn read(&mut self, finding: &FindingRecord) {
        if self.text.is_empty() {
            let posted = &finding.posted;
            self.text = format!("{}\n{}\n{}\n", posted.title, posted.body, posted.by).to_lowercase();
        }
        for (_, comment) in finding.comments.iter().skip(self.comments) {
            self.text.push_str(&format!("{}\n{}\n", comment.body, comment.by).to_lowercase());
        }
        self.comments = finding.comments.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Posted;
    use aar_api::forum::{Comment, FindingType};

    #[test]
    fn words_are_found_in_titles_bodies_and_comments_that_came_later() {
        let posted = |title: &str| Posted {
            by: "ada".into(),
            kind: FindingType::Insight,
            title: title.into(),
            body: "Soft LABELS".into(),
            evaluation: None,
            turn: None,
            key: String::new(),
        };
        let finding = |id, title| FindingRecord {
            id,
            posted: posted(title),
            at_ms: 0,
            comments: vec![],
            votes: Default::default(),
        };
        let mut all = vec![finding(1, "Tempered")];
        let index = Index::default();
        assert_eq!(index.holds(&all, "labels TEMPERED"), [true]);
        all.push(finding(2, "Hard"));
        let comment = Comment { by: "boole".into(), body: "Tempered too".into(), at_ms: 0, turn: None };
        assert_eq!(index.holds(&all, "tempered"), [true, false]);
        all[1].comments.push(("k".into(), comment));
        assert_eq!(index.holds(&all, "tempered boole"), [false, true]);
        assert_eq!(index.holds(&all, " "), [true, true]);
    }
}
