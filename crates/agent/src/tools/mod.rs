//! The tools: one list, one file each or a few that belong together.
//!
//! Tools of the *platform* need the server and the bench only; the loop and MCP offer them. *Local* tools work on the researcher's own
//! machine; only the loop offers them, because whoever brings an agent of their own brings those too.

use crate::arguments::{Arguments, Field, schema};
use crate::heartbeat::Doing;
use serde_json::Value;

pub mod board;
pub mod budget;
mod edit;
pub mod evaluations;
mod files;
pub mod findings;
mod finish;
mod job;
mod platform;
pub mod predictions;
pub mod problem;
mod search;
mod shell;
mod snapshot;
pub mod submit;
mod trial;
mod wait;

pub mod bench;

pub use bench::Bench;
pub use platform::Platform;

/// A tool.
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the model.
    pub about: &'static str,
    /// What it takes.
    pub fields: &'static [Field],
    /// What it is to a watchdog.
    pub doing: Doing,
    /// Does the work.
    pub run: Run,
}

/// What a tool needs.
#[derive(Clone, Copy)]
pub enum Run {
    /// Server and bench.
    Platform(fn(&Platform, &Arguments) -> Outcome),
    /// The loop's own state as well.
    Local(fn(&mut Bench, &Arguments) -> Outcome),
}

/// What a tool gave.
pub type Outcome = Result<Answer, Wrong>;

/// What a tool gave, for the model and for programs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// For the model.
    pub text: String,
    /// The same for a program, an object, where there is something to compute with.
    pub data: Option<Value>,
}

/// What went wrong, and what would be right: for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self { text, data: None }
    }
}

impl From<String> for Wrong {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Answer {
    /// With data beside the text.
    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }
}

/// Every tool, in the order in which a model gets to see them.
pub const TOOLS: &[&Tool] = &[
    &problem::READ_PROBLEM,
    &trial::TRY_RECIPE,
    &submit::SUBMIT,
    &predictions::EVALUATE_PREDICTIONS,
    &evaluations::EVALUATION_STATUS,
    &evaluations::EVALUATIONS,
    &board::GET_LEADERBOARD,
    &findings::SHARE_FINDING,
    &findings::SEARCH_FINDINGS,
    &findings::READ_FINDING,
    &findings::COMMENT,
    &findings::VOTE,
    &snapshot::DOWNLOAD_SNAPSHOT,
    &budget::BUDGET,
    &shell::SHELL,
    &job::JOB_STATUS,
    &job::JOB_STOP,
    &files::READ_FILE,
    &edit::WRITE_FILE,
    &edit::EDIT_FILE,
    &search::SEARCH_FILES,
    &wait::WAIT,
    &finish::FINISH_SESSION,
];

/// The tools of use in a study of this contract: where answers are handed in, no bundle is, and the other way round.
pub fn offered(contract: &str) -> impl Iterator<Item = &'static Tool> + use<> {
    let elsewhere =
        if contract == predictions::CONTRACT { &submit::SUBMIT } else { &predictions::EVALUATE_PREDICTIONS };
    TOOLS.iter().copied().filter(move |tool| tool.name != elsewhere.name)
}

/// Those of them that need the server and the bench only.
pub fn platform_tools(contract: &str) -> impl Iterator<Item = &'static Tool> + use<> {
    offered(contract).filter(|tool| matches!(tool.run, Run::Platform(_)))
}

/// A tool by its name, or a sentence that names the nearest.
pub fn find(name: &str) -> Result<&'static Tool, Wrong> {
    TOOLS.iter().copied().find(|tool| tool.name == name).ok_or_else(|| {
        let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        let near: Vec<&str> = names.iter().copied().filter(|known| resembles(known, name)).collect();
        let hint = if near.is_empty() { String::new() } else { format!("Did you mean {}? ", near.join(" or ")) };
        let shown: String = name.chars().take(80).collect();
        Wrong(format!("There is no tool {shown:?}. {hint}The tools are: {}.", names.join(", ")))
    })
}

/// Do they share a word, or the beginning of one?
fn resembles(known: &str, name: &str) -> bool {
    const LETTERS: usize = 5;
    let beginnings = |text: &str| -> Vec<String> {
        let words = text.to_lowercase();
        let words = words.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= LETTERS - 1);
        words.map(|word| word.chars().take(LETTERS).collect()).collect()
    };
    let asked = beginnings(name);
    beginnings(known).iter().any(|word| asked.contains(word))
}

impl Tool {
    /// As a model's provider wants it.
    pub fn declared(&self) -> aar_llm::conversation::Tool {
        aar_llm::conversation::Tool {
            name: self.name.into(),
            description: self.about.into(),
            schema: schema(self.fields),
        }
    }

    /// Check the arguments and do it, where it is a tool of the platform.
    pub fn call_on_platform(&self, platform: &Platform, sent: &Value) -> Outcome {
        match self.run {
            Run::Platform(run) => match run(platform, &Arguments::check(self.fields, sent)?) {
                Ok(answer) => Ok(Answer { text: platform.hush(answer.text), ..answer }),
                Err(Wrong(text)) => Err(Wrong(platform.hush(text))),
            },
            Run::Local(_) => Err(Wrong(format!("{} is not offered here.", self.name))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_good_name_and_says_what_it_does() {
        let mut names = std::collections::BTreeSet::new();
        for tool in TOOLS {
            assert!(names.insert(tool.name), "{} twice", tool.name);
            assert!(tool.name.len() <= 64 && tool.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert!(tool.about.len() > 40 && tool.about.ends_with('.'), "{}", tool.name);
            assert!(tool.fields.iter().all(|field| !field.about.is_empty()), "{}", tool.name);
        }
    }

    #[test]
    fn what_is_handed_in_follows_from_the_contract() {
        let names = |contract| platform_tools(contract).map(|tool| tool.name).collect::<Vec<_>>();
        assert!(names("bundles").contains(&"submit") && !names("bundles").contains(&"evaluate_predictions"));
        assert!(!names("predictions").contains(&"submit") && names("predictions").contains(&"evaluate_predictions"));
        assert_eq!(names("bundles").len(), names("predictions").len());
    }

    #[test]
    fn an_unknown_tool_gets_the_nearest_and_all() {
        let said = |name| find(name).err().unwrap().0;
        assert!(said("evaluate_model").contains("Did you mean"), "{}", said("evaluate_model"));
        assert!(said("evaluation").contains("evaluation_status"));
        assert!(said("share_findings").contains("share_finding"));
        assert!(said("x").starts_with("There is no tool \"x\". The tools are: read_problem, "));
        assert!(find("submit").is_ok());
    }
}
