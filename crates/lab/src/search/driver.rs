//! The life of a search researcher: turn after turn until its evaluations are used.
//!
//! It keeps no state of its own: everything is read back from the server by turn, and every post and submission has a
//! key that names the turn. So it may be ended at any moment and started again.

use super::history::{AVOID_FENCE, Library};
use aar_api::bundle::{Bundle, BundleFile, BundleStored};
use aar_api::client::{Client, ClientError};
use aar_api::error::ErrorCode;
use aar_api::evaluation::{BoardRow, EvaluationView, Submission};
use aar_api::forum::{Finding, FindingType, NewComment, NewFinding};
use aar_api::paths;
use aar_api::study::{Me, TurnView};
use aar_domain::family::Family;
use aar_methods::search::direction::Leaning;
use aar_methods::search::policy::{self, Proposal};
use aar_methods::search::space::{self, Genome};
use aar_methods::search::surrogate::Surrogate;
use aar_methods::trial::TrialReport;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A cheap trial on public data: never sees the truth.
pub trait Bench {
    /// Why a recipe can't be run here, in words; `None` where it can.
    fn refuses(&self, recipe: &str) -> Option<String>;
    /// Train on a small slice of the pool and say how the answers look.
    fn trial(&self, recipe: &str, seed: u64) -> Result<TrialReport, String>;
}

/// How a researcher was told to work.
pub struct SearchOptions {
    /// Families never to be drawn from.
    pub without: Vec<Family>,
    /// Proposals tried per turn.
    pub trials: usize,
}

/// Why a researcher gave up.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The server refused or is gone.
    #[error("{0}")]
    Server(#[from] ClientError),
}

/// Work until the budget is used or the study is closed.
pub fn run(client: &Client, bench: &dyn Bench, options: &SearchOptions) -> Result<(), SearchError> {
    let me: Me = client.get(paths::ME)?;
    let blind = me.kind.as_deref() == Some("random");
    let leaning = if blind { Leaning::even() } else { Leaning::of(me.direction.as_deref().unwrap_or_default()) };
    let mut search =
        Search { client, bench, leaning: leaning.without(&options.without), library: Library::default(), me, blind };
    let last = search.me.evaluations_used + search.me.evaluations_left;
    for turn in search.me.evaluations_used..last {
        if !search.wait_for(turn)? || !search.turn(turn, options.trials)? {
            return Ok(());
        }
    }
    if search.wait_for(last)? {
        search.report(last)?;
    }
    let _: serde_json::Value = client.post(paths::RETIRE, &())?;
    Ok(())
}

struct Search<'a> {
    client: &'a Client,
    bench: &'a dyn Bench,
    leaning: Leaning,
    library: Library,
    me: Me,
    blind: bool,
}

impl Search<'_> {
    /// False where the study is closed.
    fn wait_for(&self, turn: u32) -> Result<bool, SearchError> {
        loop {
            let view: TurnView = self.client.get(&paths::TURN.replace("{turn}", &turn.to_string()))?;
            if view.closed {
                return Ok(false);
            }
            if view.ready {
                return Ok(true);
            }
        }
    }

    /// One submission. False where the study takes no more.
    fn turn(&mut self, turn: u32, trials: usize) -> Result<bool, SearchError> {
        self.report(turn)?;
        let (history, board, findings) = self.library.before(self.client, turn)?;
        let mut rng =
            ChaCha8Rng::seed_from_u64(self.me.seed.wrapping_add(u64::from(turn).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let bench = self.bench;
        let valid = |genome: &Genome| bench.refuses(&space::recipe(genome, "candidate")).is_none();
        let proposal = if self.blind {
            policy::random(&self.leaning, &valid, &mut rng)
        } else {
            let proposals = policy::propose(&history, &self.leaning, space::all(), &valid, trials.max(1), &mut rng);
            match self.pick(proposals, turn)? {
                Some(proposal) => proposal,
                // Everything nearby was tried: one blind step is better than giving up.
                None => policy::random(&self.leaning, &valid, &mut rng),
            }
        };
        if !self.blind {
            self.announce(&proposal, &board, &findings, turn)?;
        }
        self.submit(&proposal, turn)
    }

    /// The first proposal whose trial does not speak against it; those it speaks against are made known.
    fn pick(&self, proposals: Vec<Proposal>, turn: u32) -> Result<Option<Proposal>, SearchError> {
        let mut refused = Vec::new();
        let mut chosen = None;
        for proposal in proposals {
            match self.bench.trial(&space::recipe(&proposal.genome, "trial"), self.me.seed) {
                Ok(trial) => match trial.objection() {
                    None => {
                        chosen = Some(proposal);
                        break;
                    }
                    Some(why) => refused.push((proposal, why)),
                },
                Err(reason) => refused.push((proposal, reason)),
            }
        }
        if !refused.is_empty() {
            let lines: Vec<String> = refused
                .iter()
                .map(|(proposal, why)| {
                    let recipe = space::recipe(&proposal.genome, "avoid");
                    format!("{}: {why}\n\n{AVOID_FENCE}\n{recipe}```", space::describe(&proposal.genome))
                })
                .collect();
            let title = format!("not worth an evaluation: {}", space::describe(&refused[0].0.genome));
            self.post(FindingType::Error, &title, &lines.join("\n\n"), None, turn, "avoid")?;
        }
        Ok(chosen)
    }

    /// Say what will be tried and on what it builds; thank the author of the parent with a comment.
    fn announce(
        &self,
        proposal: &Proposal,
        board: &[BoardRow],
        findings: &[Finding],
        turn: u32,
    ) -> Result<(), SearchError> {
        let name = space::describe(&proposal.genome);
        let parent = proposal.parent.as_ref().and_then(|bundle| board.iter().find(|row| row.bundle == *bundle));
        let body = match parent {
            Some(row) => format!("Built on {} by {} (evaluation #{}).", row.name, row.by, row.evaluation),
            None => "A fresh composition.".to_owned(),
        };
        self.post(FindingType::Hypothesis, &format!("trying {name}"), &body, None, turn, "try")?;
        let source = parent.filter(|row| row.by != self.me.name);
        let finding = source.and_then(|row| findings.iter().find(|finding| finding.evaluation == Some(row.evaluation)));
        if let Some(finding) = finding {
            let comment = NewComment {
                body: format!("Building on this: {name}."),
                key: self.key(turn, "comment"),
                turn: Some(turn),
            };
            let _: serde_json::Value =
                self.client.post(&paths::COMMENTS.replace("{id}", &finding.id.to_string()), &comment)?;
        }
        Ok(())
    }

    /// Post what came of the last turn.
    fn report(&mut self, turn: u32) -> Result<(), SearchError> {
        let Some(last) = turn.checked_sub(1) else {
            return Ok(());
        };
        let own: Vec<EvaluationView> = self.client.get(paths::EVALUATIONS)?;
        let Some(evaluation) = own.into_iter().find(|evaluation| evaluation.turn == Some(last)) else {
            return Ok(());
        };
        match (&evaluation.feedback, &evaluation.reason) {
            (Some(feedback), _) => {
                let value = feedback.pgr.map_or("undefined".to_owned(), |pgr| format!("{pgr:.2}"));
                let title = format!("{}: about {value}", evaluation.name);
                let body =
                    format!("The ledger's step for evaluation #{} (steps of {:.2}).", evaluation.id, feedback.step);
                self.post(FindingType::Result, &title, &body, Some(evaluation.id), turn, "result")?;
            }
            (None, Some(reason)) => {
                let title = format!("{} failed", evaluation.name);
                self.post(FindingType::Error, &title, reason, Some(evaluation.id), turn, "result")?;
            }
            (None, None) => {}
        }
        if !self.blind && turn >= 2 {
            self.post_insight(turn)?;
        }
        Ok(())
    }

    /// What the board so far says of single choices: an opinion of the model, marked as such.
    fn post_insight(&mut self, turn: u32) -> Result<(), SearchError> {
        let (history, ..) = self.library.before(self.client, turn)?;
        let rows: Vec<(Genome, f64)> =
            history.rows.iter().filter_map(|row| Some((row.genome.clone(), row.pgr?))).collect();
        let model = Surrogate::fit(&rows);
        let Some((name, effect)) = strongest(&model) else {
            return Ok(());
        };
        let title = format!("{name} seems to {} ({effect:+.2})", if effect > 0.0 { "help" } else { "hurt" });
        let body = format!("Additive model over {} graded rows; an opinion, not a measurement.", rows.len());
        self.post(FindingType::Insight, &title, &body, None, turn, "insight")
    }

    fn submit(&self, proposal: &Proposal, turn: u32) -> Result<bool, SearchError> {
        let name = space::describe(&proposal.genome);
        let recipe = space::recipe(&proposal.genome, &name);
        let file = BundleFile { path: "recipe.toml".into(), executable: false, hex: hex::encode(recipe) };
        let stored: BundleStored = self.client.post(paths::BUNDLES, &Bundle { files: vec![file] })?;
        let submission = Submission {
            bundle: stored.bundle,
            name,
            family: space::family(&proposal.genome).name().into(),
            parent: proposal.parent.clone(),
            key: self.key(turn, "submit"),
            turn: Some(turn),
        };
        match self.client.post::<_, EvaluationView>(paths::EVALUATIONS, &submission) {
            Ok(_) => Ok(true),
            Err(ClientError::Refused(error)) if matches!(error.code, ErrorCode::Closed | ErrorCode::BudgetSpent) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn post(
        &self,
        kind: FindingType,
        title: &str,
        body: &str,
        evaluation: Option<i64>,
        turn: u32,
        what: &str,
    ) -> Result<(), SearchError> {
        let title: String = title.chars().take(200).collect();
        let finding =
            NewFinding { kind, title, body: body.to_owned(), evaluation, turn: Some(turn), key: self.key(turn, what) };
        let _: serde_json::Value = self.client.post(paths::FINDINGS, &finding)?;
        Ok(())
    }

    fn key(&self, turn: u32, what: &str) -> String {
        format!("{}-{turn}-{what}", self.me.name)
    }
}

/// The choice with the largest effect in the model's eyes.
fn strongest(model: &Surrogate) -> Option<(String, f64)> {
    let mut column = 1;
    let mut best: Option<(String, f64)> = None;
    for (at, gene) in space::GENES.iter().enumerate() {
        for choice in 1..gene.choices.len() {
            let effect = model.effects()[column];
            column += 1;
            if best.as_ref().is_none_or(|(_, most)| effect.abs() > most.abs()) {
                let mut genome = space::plain_genome();
                genome[at] = choice as u8;
                best = Some((space::describe(&genome), effect));
            }
        }
    }
    best.filter(|(_, effect)| effect.abs() > 0.03)
}
