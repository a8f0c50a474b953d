//! One session: a conversation from its opening to its end.

mod answering;
mod calling;

use crate::compaction;
use crate::events::{Event, Events};
use crate::forum::Forum;
use crate::model::{Model, ModelError};
use crate::operator;
use crate::repetition::Repetition;
use crate::tools::{self, Bench};
use aar_api::paths;
use aar_api::study::StudyView;
use aar_llm::conversation::{Block, Message, Reply, Request, Speaker, Stop};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The model said so.
    Finished,
    /// It had as many answers or as much time as a session may have.
    Limit,
    /// The researcher's time is over.
    Clock,
    /// The study takes no more submissions.
    StudyOver,
    /// The team's budget is spent.
    BudgetSpent(String),
    /// The same call again and again.
    Repetition(String),
    /// Calls of tools that do not exist, or with arguments that are none, again and again.
    Misuse,
    /// Text without calls, or nothing at all, again and again.
    Idle,
    /// The model or its provider refused to go on.
    Refused,
    /// The model could not be asked.
    Model(ModelError),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Finished => f.write_str("the model ended it"),
            End::Limit => f.write_str("it was as long as a session may be"),
            End::Clock => f.write_str("the time is over"),
            End::StudyOver => f.write_str("the study takes no more submissions"),
            End::BudgetSpent(why) => write!(f, "the budget is spent: {why}"),
            End::Repetition(tool) => write!(f, "the model called {tool} again and again with the same arguments"),
            End::Misuse => {
                f.write_str("the model called tools that do not exist or with wrong arguments, again and again")
            }
            End::Idle => f.write_str("the model answered without calling a tool, again and again"),
            End::Refused => f.write_str("the model refused to go on"),
            End::Model(error) => write!(f, "{error}"),
        }
    }
}

/// A conversation and what is counted in it.
pub struct Session<'a> {
    number: u32,
    request: Request,
    opening: String,
    model: &'a mut dyn Model,
    bench: &'a mut Bench,
    events: &'a mut Events,
    forum: &'a mut Forum,
    repetition: Repetition,
    began: Instant,
    answers: usize,
    calls: usize,
    /// Of all calls so far.
    ids: BTreeSet<String>,
    idle: usize,
    misused: usize,
    productive: bool,
    end: Option<End>,
    warned: bool,
    looked: Instant,
    /// Tokens as the provider counted them, per token as estimated here.
    scale: f64,
}

/// What is left of a session.
#[derive(Debug)]
pub struct Outcome {
    /// Why it ended.
    pub end: End,
    /// Whether anything was written, run, submitted or shared.
    pub productive: bool,
    /// Its last calls, for the next session's note.
    pub trace: String,
}

impl<'a> Session<'a> {
    /// A session that has not begun.
    pub fn new(
        (number, system, opening): (u32, String, String),
        contract: &str,
        model: &'a mut dyn Model,
        bench: &'a mut Bench,
        events: &'a mut Events,
        forum: &'a mut Forum,
    ) -> Self {
        let settings = &bench.platform.settings;
        let request = Request {
            model: settings.model.clone(),
            system,
            messages: vec![Message::user(opening.clone())],
            tools: tools::offered(contract).map(tools::Tool::declared).collect(),
            max_tokens: settings.limits.answer_tokens,
            stream: true,
        };
        let now = Instant::now();
        Self {
            number,
            request,
            opening,
            model,
            bench,
            events,
            forum,
            repetition: Repetition::default(),
            began: now,
            answers: 0,
            calls: 0,
            ids: BTreeSet::new(),
            idle: 0,
            misused: 0,
            productive: false,
            end: None,
            warned: false,
            looked: now,
            scale: 1.0,
        }
    }

    /// From the opening to the end.
    pub fn run(mut self) -> Outcome {
        self.bench.heartbeat.begin(self.number);
        self.model.begin(self.number);
        self.events.say(&Event::SessionBegan { session: self.number });
        let end = loop {
            if let Some(end) = self.over() {
                break end;
            }
            self.turn();
        };
        self.events.say(&Event::SessionEnded { session: self.number, why: end.to_string(), answers: self.answers });
        let trace = compaction::mechanical(&self.request.messages);
        Outcome { end, productive: self.productive, trace }
    }

    fn over(&mut self) -> Option<End> {
        let settings = &self.bench.platform.settings;
        let limits = &settings.limits;
        if self.end.is_some() {
            return self.end.take();
        }
        if settings.time_left().is_some_and(|left| left.is_zero()) {
            return Some(End::Clock);
        }
        (self.answers >= limits.session_answers || self.began.elapsed() >= limits.session_time).then_some(End::Limit)
    }

    fn turn(&mut self) {
        self.shorten();
        let reply = match self.ask(true) {
            Ok(reply) => reply,
            Err(error) => {
                self.end = self.after_failure(error);
                return;
            }
        };
        self.answers += 1;
        let (blocks, calls) = self.cleaned(&reply);
        if calls.is_empty() {
            self.idled(&reply, blocks);
            return;
        }
        self.idle = 0;
        self.request.messages.push(Message { speaker: Speaker::Assistant, blocks });
        let results = self.run_calls(&calls);
        self.request.messages.push(Message { speaker: Speaker::User, blocks: results });
        if self.bench.finished.is_some() {
            self.end = Some(End::Finished);
        }
        self.notices();
    }

    /// An answer without calls.
    fn idled(&mut self, reply: &Reply, blocks: Vec<Block>) {
        self.idle += 1;
        let says_something = blocks.iter().any(|block| matches!(block, Block::Text { .. }));
        if says_something {
            self.request.messages.push(Message { speaker: Speaker::Assistant, blocks });
        }
        if reply.stop == Stop::Refused {
            self.end = Some(End::Refused);
            return;
        }
        if self.idle >= self.bench.platform.settings.limits.idle_answers {
            self.end = Some(End::Idle);
            return;
        }
        let why = match (&reply.stop, says_something) {
            (Stop::Length, _) => {
                "Your answer was cut off because it was too long. Go on in smaller steps; write long texts into files, piece by piece."
            }
            (_, false) => "Your answer was empty.",
            (_, true) => "You called no tool, so nothing was done; nobody reads along.",
        };
        self.nudge(&format!("{why} Call a tool to go on, or finish_session to end this session."));
    }

    fn nudge(&mut self, text: &str) {
        self.events.say(&Event::Nudged { session: self.number, why: text.to_owned() });
        self.tell(text);
    }

    /// A message of the platform's, behind whatever the user's side said last.
    fn tell(&mut self, text: &str) {
        let block = Block::Text { text: format!("[platform] {text}") };
        match self.request.messages.last_mut() {
            Some(last) if last.speaker == Speaker::User => last.blocks.push(block),
            _ => self.request.messages.push(Message { speaker: Speaker::User, blocks: vec![block] }),
        }
    }

    /// What the model should know without asking: new posts, an end that is near, a study that is over. Numbers only, no foreign text.
    fn notices(&mut self) {
        let every = self.bench.platform.settings.limits.forum_every;
        let news = self.forum.sync(&self.bench.platform, every);
        if !news.is_empty() {
            self.events.say(&Event::ForumSynced { findings: self.forum.posts() });
            let shown: Vec<String> = news.iter().rev().take(10).map(|id| format!("#{id}")).collect();
            self.tell(&format!("News in the forum: {} (read_finding, or the files in forum/).", shown.join(", ")));
        }
        if self.looked.elapsed() >= every {
            self.looked = Instant::now();
            let study = self.bench.platform.get::<StudyView>(paths::STUDY);
            if study.is_ok_and(|study| study.phase != "running") {
                self.end.get_or_insert(End::StudyOver);
            }
            let said = operator::messages(&self.bench.platform, self.bench.heard);
            if let Some(last) = said.last() {
                self.bench.heard = last.id;
                self.tell(&operator::spoken(&said));
            }
        }
        let settings = &self.bench.platform.settings;
        let answers_left = settings.limits.session_answers.saturating_sub(self.answers);
        let session_left = settings.limits.session_time.saturating_sub(self.began.elapsed());
        let left = settings.time_left().map_or(session_left, |left| left.min(session_left));
        if !self.warned && (answers_left <= 5 || left < Duration::from_secs(300)) {
            self.warned = true;
            self.tell(
                "This session ends soon by itself. Bring the notebook up to date now, and end it with finish_session and a note.",
            );
        }
    }
}
