//! Getting an answer: retries, and a conversation that is kept short enough.

use super::{End, Session};
use crate::compaction;
use crate::events::Event;
use crate::heartbeat::Doing;
use crate::model::ModelError;
use crate::retry::pause;
use aar_llm::conversation::{Reply, Request};
use std::time::Duration;

/// How long one attempt may take before a watchdog may call it hung.
const ANSWER_TIME: Duration = Duration::from_secs(900);
/// Whoever was resumed waits no longer than this.
const STAND_BY: Duration = Duration::from_secs(30);

impl Session<'_> {
    /// Ask, and ask again after a pause where that may help. `counted`: an answer of the conversation, not a summary.
    pub(super) fn ask(&mut self, counted: bool) -> Result<Reply, ModelError> {
        if counted {
            self.bench.heartbeat.thinking(ANSWER_TIME);
        }
        let estimated = self.estimate();
        let mut attempt = 1;
        let mut pauses = 0;
        loop {
            self.bench.heartbeat.now(Doing::Thinking, "", ANSWER_TIME);
            let heartbeat = &mut self.bench.heartbeat;
            match self.model.answer(&self.request, &mut |_| heartbeat.alive()) {
                Ok(reply) => {
                    self.measured(&reply, estimated);
                    return Ok(reply);
                }
                Err(error @ (ModelError::Paused(_) | ModelError::TooFast { .. })) => {
                    pauses += 1;
                    self.stand_by(pauses, error)?;
                }
                Err(error) => {
                    self.pause_or_give_up(attempt, error)?;
                    attempt += 1;
                }
            }
        }
    }

    fn measured(&mut self, reply: &Reply, estimated: usize) {
        let usage = reply.usage;
        let read = usage.input + usage.cache_read + usage.cache_write;
        if read > 0 && estimated > 0 {
            self.scale = (self.scale * read as f64 / estimated as f64).clamp(0.3, 4.0);
        }
        self.events.say(&Event::Answered {
            session: self.number,
            calls: reply.calls().count(),
            text_chars: reply.text().chars().count(),
            input: usage.input,
            output: usage.output,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write,
        });
    }

    fn pause_or_give_up(&mut self, attempt: u32, error: ModelError) -> Result<(), ModelError> {
        let limits = &self.bench.platform.settings.limits;
        let asked = match &error {
            ModelError::Busy { retry_after, .. } => *retry_after,
            _ => None,
        };
        let left = self.bench.platform.settings.time_left().unwrap_or(Duration::MAX);
        let give_up = !error.passes() || attempt >= limits.attempts || left.is_zero();
        let pause = if give_up { Duration::ZERO } else { pause(attempt, asked, limits).min(left) };
        self.events.say(&Event::AnswerFailed {
            session: self.number,
            attempt,
            why: error.to_string(),
            pause_ms: pause.as_millis() as u64,
        });
        if give_up {
            return Err(error);
        }
        self.bench.heartbeat.now(Doing::Waiting, "the model's server", pause + Duration::from_secs(60));
        std::thread::sleep(pause);
        Ok(())
    }

    /// Paused by the operator, or held back by the gateway: no failure, and no limit but the clock.
    fn stand_by(&mut self, pauses: u32, error: ModelError) -> Result<(), ModelError> {
        let settings = &self.bench.platform.settings;
        let left = settings.time_left().unwrap_or(Duration::MAX);
        if left.is_zero() {
            return Err(error);
        }
        let pause = match &error {
            ModelError::TooFast { retry_after, .. } => retry_after.unwrap_or(STAND_BY),
            _ => pause(pauses, None, &settings.limits).min(STAND_BY),
        };
        let pause = pause.min(left);
        if pauses == 1 {
            self.events.say(&Event::Paused { ms: pause.as_millis() as u64, why: error.to_string() });
        }
        self.bench.heartbeat.now(Doing::Waiting, "paused", pause + Duration::from_secs(60));
        std::thread::sleep(pause);
        Ok(())
    }

    /// What follows from an answer that did not come: a conversation that is too long is cut once more, all else ends the session.
    pub(super) fn after_failure(&mut self, error: ModelError) -> Option<End> {
        match error {
            ModelError::BudgetSpent(why) => Some(End::BudgetSpent(why)),
            ModelError::TooLong(_) if self.request.messages.len() > 1 => {
                let before = self.estimate();
                // The provider counts more than was thought; a summary can't be asked for any more.
                let summary = compaction::mechanical(&self.request.messages);
                self.replace(&summary, self.bench.platform.settings.limits.context_tokens / 8);
                self.compacted("cut, because the provider found it too long", before);
                None
            }
            // The clock ran out while it stood still.
            ModelError::Paused(_) | ModelError::TooFast { .. } => Some(End::Clock),
            error => Some(End::Model(error)),
        }
    }

    /// About how many tokens the next call has.
    fn estimate(&self) -> usize {
        let Request { system, messages, tools, .. } = &self.request;
        let tools: usize = tools.iter().map(|tool| tool.description.len() + tool.schema.to_string().len()).sum();
        let characters = system.len() + tools;
        ((characters / 4 + compaction::tokens(messages)) as f64 * self.scale) as usize
    }

    /// Leave out older outputs, or where that is not enough replace the conversation by a summary.
    pub(super) fn shorten(&mut self) {
        let limit = self.bench.platform.settings.limits.context_tokens;
        let before = self.estimate();
        if before <= limit {
            return;
        }
        // Each change of what came before costs the provider's cache, so that it is done seldom and thoroughly.
        if compaction::elide(&mut self.request.messages) && self.estimate() <= limit * 7 / 10 {
            self.compacted("older outputs were left out", before);
            return;
        }
        let kept = self.request.messages.clone();
        self.tell(compaction::ASK);
        let summary = self.ask(false).map(|reply| reply.text()).unwrap_or_default();
        self.request.messages = kept;
        let written = !summary.trim().is_empty();
        let summary = if written { summary } else { compaction::mechanical(&self.request.messages) };
        self.replace(&summary, limit / 4);
        self.compacted(
            if written { "the model wrote a summary" } else { "a list of calls, for want of a summary" },
            before,
        );
    }

    fn replace(&mut self, summary: &str, most: usize) {
        let summary = crate::cap::cap(summary, 24_000, "It was cut for its length.");
        self.request.messages = compaction::summarised(&self.opening, &summary, &self.request.messages, most);
    }

    fn compacted(&mut self, how: &str, tokens_before: usize) {
        let tokens_after = self.estimate();
        self.events.say(&Event::Compacted { session: self.number, how: how.to_owned(), tokens_before, tokens_after });
    }
}
