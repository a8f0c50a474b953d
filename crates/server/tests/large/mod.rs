//! A large study, made up from a seed: its event log is written through the server's own events, and every page is served from it.
#![allow(dead_code)]

pub mod talk;
mod words;

use aar_api::bundle::Bundle;
use aar_api::forum::FindingType;
use aar_api::integrity::{Bearing, Check, Left, Verdict};
use aar_api::work::Usage;
use aar_domain::family::Family;
use aar_domain::rung::{Kind, Split};
use aar_grader::ledger::Unit;
use aar_server::event::{Event, Opening, Participant, Phase, Posted, Purpose, Queued, Role, Sight};
use aar_server::history::{self, Moment};
use aar_server::timeline::Doing;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::path::Path;

/// How large.
#[derive(Clone, Copy)]
pub struct Size {
    pub researchers: usize,
    pub evaluations: usize,
    pub findings: usize,
    /// Items per split of its testbed.
    pub items: usize,
    /// Whether the log goes on into the close, or ends while researchers are at work.
    pub closes: bool,
}

/// What the pages must bear.
pub const LARGE: Size =
    Size { researchers: 50, evaluations: 2000, findings: 20_000, items: super::bench::ITEMS, closes: true };

const BASELINES: [(&str, Family); 3] =
    [("plain", Family::Other), ("confident", Family::ConfidenceWeighting), ("ensemble", Family::Ensemble)];
const FINALISTS: usize = 4;
/// Evaluations that are not finished when the log ends.
const UNDER_WAY: usize = 2;
/// Between two evaluations.
const STEP_MS: i64 = 40_000;

/// Write `study.db` of such a study, and its testbed, into `dir`. The same seed gives the same study.
pub fn write(dir: &Path, seed: u64, size: Size) -> Opening {
    super::bench::testbed_of(dir, size.items);
    let mut opening = super::bench::opening("a large plan");
    opening.study = "large".into();
    opening.limits = [(Unit::Evaluations, size.evaluations as u64), (Unit::MilliBits, 20_000_000)].into();
    let mut study = Study {
        rng: ChaCha8Rng::seed_from_u64(seed),
        size,
        at_ms: 1_790_000_000_000,
        history: vec![],
        opening: opening.clone(),
        evaluations: vec![],
        jobs: 0,
        findings: 0,
    };
    study.all();
    history::write(&dir.join("study.db"), &study.history).unwrap();
    opening
}

/// Of every eight three speak to a language model, and one is the control.
fn kind(at: usize) -> Kind {
    match at % 8 {
        0..3 => Kind::LanguageModel,
        7 => Kind::Random,
        _ => Kind::Search,
    }
}

struct Made {
    bundle: String,
    skill: f64,
    by: usize,
    failed: bool,
}

struct Study {
    rng: ChaCha8Rng,
    size: Size,
    at_ms: i64,
    history: Vec<Moment>,
    opening: Opening,
    evaluations: Vec<Made>,
    jobs: i64,
    findings: usize,
}

impl Study {
    fn happen(&mut self, event: Event, blob: Option<(String, Vec<u8>)>) {
        self.history.push(Moment { at_ms: self.at_ms, event, blob });
    }

    fn all(&mut self) {
        self.happen(Event::Opened(self.opening.clone()), None);
        let body = serde_json::json!({"isolation": "namespaces + seccomp"});
        self.happen(Event::Noted { kind: "isolation".into(), body }, None);
        for at in 0..self.size.researchers {
            self.join(at);
        }
        for (name, family) in BASELINES {
            let (text, key) = (format!("# {name}\n"), format!("feedback {name}"));
            let queued = self.store(&text, name, family, "baseline", key, Purpose::Baseline);
            self.evaluate(queued, 0.66, usize::MAX, false);
        }
        self.happen(Event::Phase { phase: Phase::Running }, None);
        let submissions = self.size.evaluations - BASELINES.len() - FINALISTS - 1;
        for turn in 0..submissions {
            self.submit(turn);
            self.watch(turn);
            let spent = serde_json::json!({"nano": 40_000_000i64 * (turn as i64 + 1), "tokens": 260_000 * (turn + 1)});
            self.happen(Event::Noted { kind: "spent".into(), body: spent }, None);
            // The forum keeps pace with the evaluations.
            let due = self.size.findings * (turn + 1) / submissions;
            while self.findings < due {
                self.post();
            }
        }
        if self.size.closes {
            self.happen(Event::Phase { phase: Phase::Closing }, None);
            self.close();
        }
    }

    fn name(at: usize) -> String {
        format!("search-{at:02}")
    }

    fn join(&mut self, at: usize) {
        let participant = Participant {
            name: Self::name(at),
            role: Role::Researcher,
            kind: Some(kind(at)),
            direction: (kind(at) != Kind::Random).then(|| words::sentence(&mut self.rng)),
            seed: at as u64,
            evaluations: (self.size.evaluations / self.size.researchers) as u32 + 1,
            turns: kind(at) != Kind::LanguageModel,
            token_hash: super::bench::token_hash(&Self::name(at)),
        };
        self.happen(Event::Joined(participant), None);
    }

    /// Store a bundle; what asks for its evaluation.
    fn store(&mut self, text: &str, name: &str, family: Family, by: &str, key: String, purpose: Purpose) -> Queued {
        let bundle = Bundle::of_recipe(text);
        let id = bundle.id();
        let blob = (id.clone(), serde_json::to_vec(&bundle).unwrap());
        self.happen(Event::Stored { bundle: id.clone(), by: by.into() }, Some(blob));
        Queued {
            bundle: id,
            name: name.into(),
            family: family.name().into(),
            parent: None,
            by: by.into(),
            turn: None,
            key,
            split: Split::Feedback,
            purpose,
            card: None,
        }
    }

    fn submit(&mut self, turn: usize) {
        let by = turn % self.size.researchers;
        let at = self.evaluations.len();
        let earlier: Vec<usize> = (BASELINES.len()..at).filter(|&at| !self.evaluations[at].failed).collect();
        let parent = (self.rng.random_bool(0.6)).then(|| earlier.choose(&mut self.rng).copied()).flatten();
        // Fashions: which families are tried moves through the study.
        let drift = turn * 5 / self.size.evaluations.max(1);
        let family = Family::ALL[(drift + self.rng.random_range(0..4)) % Family::ALL.len()];
        let base = parent.map_or(0.62, |parent| self.evaluations[parent].skill);
        let skill = (base + self.rng.random_range(-0.06..0.07f64)).clamp(0.4, 0.86);
        let name = format!("{} {}", words::method(&mut self.rng), turn % 97);
        let text = format!("# {name}\n[label]\nsource = \"teacher\"\nturn = {turn}\n");
        let mut queued = self.store(&text, &name, family, &Self::name(by), format!("turn {turn}"), Purpose::Submission);
        queued.turn = Some((turn / self.size.researchers) as u32);
        queued.parent = parent.map(|parent| self.evaluations[parent].bundle.clone());
        let failed = self.rng.random_bool(0.03);
        self.evaluate(queued, skill, by, failed);
    }

    /// What a watchdog sees of language models: each is at something else now and then, and one hangs once.
    fn watch(&mut self, turn: usize) {
        let pace = (self.size.researchers / 8).max(1);
        if !turn.is_multiple_of(pace) {
            return;
        }
        use Doing::{Thinking, Training, Waiting};
        let acts = [Thinking, Training, Training, Thinking, Waiting, Thinking, Thinking, Training, Waiting, Thinking];
        for at in (0..self.size.researchers).filter(|&at| kind(at) == Kind::LanguageModel) {
            let step = turn / pace + 3 * at;
            let sight = |doing, why: &str| Sight { by: Self::name(at), doing, since_ms: self.at_ms, why: why.into() };
            let ill = at == 2 && (61..66).contains(&(turn / pace));
            let mut seen = vec![];
            if ill && turn / pace == 65 {
                let why = "hanging while tool (shell): nothing was heard for 240 s";
                let since_ms = self.at_ms - 4 * STEP_MS * 3 / 2;
                seen.push(Sight { since_ms, ..sight(Doing::Hung, why) });
                seen.extend([sight(Doing::Gone, why), sight(Thinking, "")]);
            } else if !ill && acts[step % 10] != acts[(step + 9) % 10] {
                seen.push(sight(acts[step % 10], ""));
            }
            for sight in seen {
                self.happen(Event::Seen(sight), None);
            }
        }
    }

    fn evaluate(&mut self, queued: Queued, skill: f64, by: usize, failed: bool) {
        let (bundle, split) = (queued.bundle.clone(), queued.split);
        self.at_ms += STEP_MS;
        self.happen(Event::Queued(queued), None);
        self.evaluations.push(Made { bundle, skill, by, failed });
        let left = self.size.evaluations - self.evaluations.len();
        let seeds = self.opening.seeds[&split].len() as i64;
        let first = self.jobs + 1;
        self.jobs += seeds;
        if left < UNDER_WAY / 2 {
            return;
        }
        for job in first..first + seeds {
            self.happen(Event::Claimed { job, worker: format!("worker-{}", job % 4) }, None);
        }
        if left < UNDER_WAY {
            return;
        }
        self.at_ms += STEP_MS / 2;
        for job in first..first + seeds {
            if failed {
                let (reason, log_tail) = ("train ended with status 1".into(), words::sentence(&mut self.rng));
                self.happen(Event::Failed { job, reason, log_tail }, None);
                return;
            }
            self.done(job, skill);
        }
    }

    fn done(&mut self, job: i64, skill: f64) {
        let right = (skill + self.rng.random_range(-0.02..0.02f64)).clamp(0.0, 1.0);
        // Labels alternate in the testbed of these tests.
        let margin = |item: usize, right: bool| if right == item.is_multiple_of(2) { 1.0f32 } else { -1.0 };
        let bytes: Vec<u8> =
            (0..self.size.items).flat_map(|item| margin(item, self.rng.random_bool(right)).to_le_bytes()).collect();
        let margins = hex::encode(Sha256::digest(&bytes));
        let usage =
            Usage { train_cpu_ms: self.rng.random_range(4000..20_000), predict_cpu_ms: 900, ..Usage::default() };
        let curve = (0..24).map(|at| (at * 10, 0.7 / (1.0 + at as f32 * 0.1) + 0.1 * self.rng.random::<f32>()));
        let curve = curve.collect();
        self.happen(Event::Done { job, margins: margins.clone(), usage, curve }, Some((margins, bytes)));
    }

    fn post(&mut self) {
        let rng = &mut self.rng;
        let at = rng.random_range(0..self.evaluations.len());
        let kind = *[FindingType::Result, FindingType::Insight, FindingType::Hypothesis, FindingType::Error]
            .choose(rng)
            .unwrap();
        let (made, by) = (&self.evaluations[at], rng.random_range(0..self.size.researchers));
        let backed = kind == FindingType::Result && made.by != usize::MAX;
        let author = if backed { made.by } else { by };
        let posted = Posted {
            by: Self::name(author),
            kind: if kind == FindingType::Result && !backed { FindingType::Insight } else { kind },
            title: words::sentence(rng),
            body: words::body(rng),
            evaluation: backed.then_some(at as i64 + 1),
            turn: Some((self.evaluations.len() / self.size.researchers) as u32),
            key: format!("finding {}", self.findings),
        };
        self.findings += 1;
        self.happen(Event::Posted(posted), None);
        for comment in 0..[0, 0, 1, 1, 3][self.rng.random_range(0..5)] {
            let event = Event::Commented {
                finding: self.findings as i64,
                by: Self::name(self.rng.random_range(0..self.size.researchers)),
                body: words::sentence(&mut self.rng),
                turn: None,
                key: format!("comment {} {comment}", self.findings),
            };
            self.happen(event, None);
        }
        for _ in 0..[0, 0, 0, 1, 2, 5][self.rng.random_range(0..6)] {
            let voter = self.rng.random_range(0..self.size.researchers);
            let (finding, value) = (self.findings as i64, if self.rng.random_bool(0.8) { 1 } else { -1 });
            if voter != author {
                self.happen(Event::Voted { finding, by: Self::name(voter), value, turn: None }, None);
            }
        }
    }

    /// What examinations found of a finalist that is done.
    fn examined(&mut self, evaluation: i64, skill: f64) {
        let with = (skill - 0.6) / 0.25;
        let relies = |without: f64, how: &str| {
            let evidence = format!("PGR {without:.2} {how}, {with:.2} as it is, on the same seeds");
            (evidence, Some(Left { without, with }))
        };
        let (teacher, student) = (self.rng.random_range(-0.1..0.12), self.rng.random_range(-0.3..0.0));
        let (pool, twin) = (self.rng.random_range(-1.0..1.0f64), self.rng.random_range(-1.0..1.0f64));
        let found = [
            (
                Check::PermutedTwin,
                (
                    format!(
                        "right on 50.2 % of a truth that was shuffled, 50.0 % is chance ({twin:+.1} standard errors; more than 4 show a leak)"
                    ),
                    None,
                ),
            ),
            (
                Check::LabelProvenance,
                (
                    format!(
                        "right on 71.0 % of the pool it was trained on; what it knows explains up to 72.1 % ({pool:+.1} standard errors; more than 3 show a leak)"
                    ),
                    None,
                ),
            ),
            (Check::TeacherReliance, relies(teacher, "with the teacher's labels shuffled among the pool's rows")),
            (Check::StudentReliance, relies(student, "with a student whose weights were shuffled")),
        ];
        for (check, (evidence, left)) in found {
            self.happen(
                Event::Judged(Verdict { evaluation, check, kind: Bearing::Property, evidence, of: None, left }),
                None,
            );
        }
    }

    /// The first of the finalists are done when the log ends, the others under way.
    fn close(&mut self) {
        let mut best: Vec<usize> = (BASELINES.len()..self.evaluations.len()).collect();
        best.retain(|&at| !self.evaluations[at].failed);
        best.sort_by(|&a, &b| self.evaluations[b].skill.total_cmp(&self.evaluations[a].skill));
        let mut queued =
            self.store("# plain\n", "plain", Family::Other, "baseline", "selection plain".into(), Purpose::Reference);
        queued.split = Split::Selection;
        self.evaluate(queued, 0.66, usize::MAX, false);
        for at in best.into_iter().take(FINALISTS) {
            let (bundle, skill, by) =
                (self.evaluations[at].bundle.clone(), self.evaluations[at].skill, self.evaluations[at].by);
            let queued = Queued {
                key: format!("finalist {bundle}"),
                bundle,
                name: words::method(&mut self.rng),
                family: Family::Ensemble.name().into(),
                parent: None,
                by: Self::name(by),
                turn: None,
                split: Split::Selection,
                purpose: Purpose::Finalist,
                card: None,
            };
            self.evaluate(queued, skill - 0.01, by, false);
            if self.size.evaluations - self.evaluations.len() >= UNDER_WAY {
                self.examined(self.evaluations.len() as i64, skill);
            }
        }
    }
}
