//! What takes more than one call: to submit, to post. The same again is one act, whoever asks.

use crate::bundle::{Bundle, BundleStored};
use crate::client::{Client, ClientError};
use crate::evaluation::{EvaluationView, Submission};
use crate::forum::{Comment, Finding, FindingType, NewComment, NewFinding, NewVote};
use crate::paths;
use crate::study::Me;
use sha2::{Digest, Sha256};

/// What a bundle is called.
#[derive(Clone, Debug)]
pub struct Naming {
    /// Name of the method.
    pub name: String,
    /// Family of ideas.
    pub family: String,
    /// The bundle it was built on.
    pub parent: Option<String>,
}

impl Client {
    /// Store a bundle and ask for its evaluation. The same bundle again is the same evaluation, but for another `again`.
    pub fn submit(&self, bundle: &Bundle, naming: Naming, again: &str) -> Result<EvaluationView, ClientError> {
        let turn = self.turn()?;
        let stored: BundleStored = self.post(paths::BUNDLES, bundle)?;
        let submission = Submission {
            key: format!("{} {again}", stored.bundle),
            bundle: stored.bundle,
            name: naming.name,
            family: naming.family,
            parent: naming.parent,
            turn,
        };
        self.post(paths::EVALUATIONS, &submission)
    }

    /// How an evaluation stands.
    pub fn evaluation(&self, id: i64) -> Result<EvaluationView, ClientError> {
        self.get(&paths::EVALUATION.replace("{id}", &id.to_string()))
    }

    /// Post a finding.
    pub fn share(
        &self,
        kind: FindingType,
        title: &str,
        body: &str,
        evaluation: Option<i64>,
    ) -> Result<Finding, ClientError> {
        let key = key(&[title, body, &format!("{evaluation:?}")]);
        let (title, body, turn) = (title.to_owned(), body.to_owned(), self.turn()?);
        self.post(paths::FINDINGS, &NewFinding { kind, title, body, evaluation, turn, key })
    }

    /// Comment on a finding.
    pub fn comment(&self, finding: i64, body: &str) -> Result<(), ClientError> {
        let new = NewComment { key: key(&[&finding.to_string(), body]), body: body.to_owned(), turn: self.turn()? };
        self.post(&comments(finding), &new).map(|_: serde_json::Value| ())
    }

    /// Vote on a finding: 1 for it, -1 against it, 0 takes the vote back.
    pub fn vote(&self, finding: i64, value: i8) -> Result<Finding, ClientError> {
        let new = NewVote { value, turn: self.turn()? };
        self.post(&paths::VOTES.replace("{id}", &finding.to_string()), &new)
    }

    /// A finding with its comments; `None` where there is none of that number.
    pub fn finding(&self, id: i64) -> Result<Option<(Finding, Vec<Comment>)>, ClientError> {
        let findings: Vec<Finding> = self.get(&format!("{}?after={}", paths::FINDINGS, id - 1))?;
        let Some(finding) = findings.into_iter().find(|finding| finding.id == id) else { return Ok(None) };
        Ok(Some((finding, self.get(&comments(id))?)))
    }

    /// The turn an act belongs to, where its author works in turns.
    fn turn(&self) -> Result<Option<u32>, ClientError> {
        let me: Me = self.get(paths::ME)?;
        Ok(me.turns.then_some(me.evaluations_used))
    }
}

fn comments(finding: i64) -> String {
    paths::COMMENTS.replace("{id}", &finding.to_string())
}

/// What makes a post that is sent twice one post, whole and short: its hash.
fn key(parts: &[&str]) -> String {
    hex::encode(Sha256::digest(parts.join("\n")))
}
