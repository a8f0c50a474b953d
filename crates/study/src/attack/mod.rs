//! Attacks on a running study, over HTTP as a participant meets it.
//!
//! `target` starts a server on a truth that was just drawn. `served` is a door through which the grader's own attacks on labels and scores go there;
//! `probes` is what must be refused (bodies, names, paths, tokens: on any running study), `charged` what is taken and must have no
//! other effect, `latency` whether time tells anything. `wire` sends bytes as they are.

mod charged;
mod latency;
mod probes;
mod served;
mod target;
mod wire;

use crate::error::StudyError;
use aar_api::client::Address;
use aar_grader::attack::{self, Bounded, Open, Outcome, World, bounded};
use aar_grader::ledger::Policy;
use aar_server::event::{Contract, Role};
pub use latency::Latency;
use probes::Intruder;
pub use probes::Probe;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use served::{Fault, Served};
use target::{Target, token};
use wire::Wire;

/// Submissions after which the inflation of graded answers is looked at.
const CURVE: [u32; 7] = [1, 3, 6, 12, 24, 48, 96];
/// What the attacks on servers came to.
#[derive(Clone, Debug, Serialize)]
pub struct Running {
    /// The grader's attacks, each on a server of its own for every truth.
    pub outcomes: Vec<Outcome>,
    /// What stands around the grader, under both contracts.
    pub probes: Vec<Probe>,
    /// After so many submissions of a team that chooses among many bundles: the best graded answer minus fresh truth.
    pub curve: Vec<(u32, Bounded)>,
    /// Whether time tells anything. It decides nothing: it depends on the machine's load.
    pub latency: Latency,
}

impl Running {
    /// What does not hold.
    pub fn broken(&self) -> Vec<&str> {
        let outcomes = self.outcomes.iter().filter(|outcome| !outcome.holds()).map(|outcome| outcome.attack);
        outcomes
            .chain(self.probes.iter().filter(|probe| !probe.given_away.is_empty()).map(|probe| probe.attack))
            .collect()
    }
}

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Fresh truths per attack.
    pub truths: u32,
    /// The team's submissions.
    pub submissions: u32,
    /// Submissions whose time is taken.
    pub timed: u32,
    /// Of truths and choices.
    pub seed: u64,
    /// Threads that attack.
    pub threads: usize,
}

/// Attack servers that are started for it. `said` is told what is done.
pub fn running(policy: Policy, extent: Extent, said: &dyn Fn(&str)) -> Result<Running, StudyError> {
    let Extent { truths, submissions, timed, seed, threads } = extent;
    let fault = Fault::default();
    said("bodies, names, paths and tokens");
    let probes = probed(policy, seed)?;
    said("time");
    let latency = latency::measure(policy, timed, seed, &fault)?;
    said("labels and scores");
    let open: Open<StudyError> = &|world| Ok(Box::new(Served::start(world, policy, submissions, fault.clone())?));
    let ladder = matches!(policy, Policy::Ladder { .. });
    let outcomes = attack::through(open, (submissions, ladder), truths, seed, threads)?;
    said("the best of many submissions");
    let curve = curve(policy, truths, seed, &fault)?;
    match fault.lock().ok().and_then(|mut fault| fault.take()) {
        Some(error) => Err(error),
        None => Ok(Running { outcomes, probes, curve, latency }),
    }
}

/// Attack a study that somebody else runs, with a researcher's token: only by what must be refused and so costs nothing.
pub fn refused(address: &Address, token: &str) -> Result<Vec<Probe>, StudyError> {
    Intruder::arrive(&Wire(address.clone()), token)?.refused()
}

fn probed(policy: Policy, seed: u64) -> Result<Vec<Probe>, StudyError> {
    let world = World::draw(seed);
    let plain = attack::margins(&world.known.prior);
    let mut probes = Vec::new();
    for contract in [Contract::Bundles, Contract::Predictions] {
        let target = Target::start(&world, contract, policy, 24, &plain)?;
        target.join("intruder", Role::Researcher, 24)?;
        let found = Intruder::arrive(&target.wire, &token("intruder"))?.refused()?;
        merge(&mut probes, found);
        if contract == Contract::Bundles {
            probes.extend(charged::on_bundles(&target)?);
        }
    }
    Ok(probes)
}

/// The same attack on another contract is one row.
fn merge(probes: &mut Vec<Probe>, found: Vec<Probe>) {
    for probe in found {
        match probes.iter_mut().find(|known| known.attack == probe.attack) {
            Some(known) => {
                known.tried += probe.tried;
                known.given_away.extend(probe.given_away);
            }
            None => probes.push(probe),
        }
    }
}

fn curve(policy: Policy, truths: u32, seed: u64, fault: &Fault) -> Result<Vec<(u32, Bounded)>, StudyError> {
    let most = CURVE[CURVE.len() - 1];
    let mut found: Vec<Vec<f64>> = vec![vec![]; CURVE.len()];
    for truth in 0..truths {
        let mut world = World::draw(seed.wrapping_add(u64::from(truth)));
        world.known.budget = most;
        let mut door = Served::start(&world, policy, most, fault.clone())?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ u64::from(truth).rotate_left(20));
        (attack::CHOICE.run)(&mut door, &world, &world.known, &mut rng);
        for (at, &count) in CURVE.iter().enumerate() {
            found[at].extend(door.inflation.get(count as usize - 1));
        }
    }
    Ok(CURVE.iter().zip(found).map(|(&count, values)| (count, bounded(&values))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attacked(policy: Policy, submissions: u32) -> Running {
        running(policy, Extent { truths: 2, submissions, timed: 4, seed: 1, threads: 2 }, &|_| ()).unwrap()
    }

    #[test]
    fn a_server_answers_no_more_than_its_ledger_and_refuses_the_rest() {
        let found = attacked(Policy::Ladder { step: 0.05 }, 6);
        for probe in &found.probes {
            assert!(probe.given_away.is_empty() && probe.tried > 0, "{probe:?}");
        }
        assert!(found.probes.len() >= 11, "{:?}", found.probes);
        for outcome in &found.outcomes {
            assert!(outcome.answered <= 6.0 && outcome.recovered.mean <= attack::MOST_RECOVERED, "{outcome:?}");
        }
        let answered = |name| found.outcomes.iter().find(|outcome| outcome.attack == name).unwrap().answered;
        // A dozen participants have one account; what is no answer gets none; a forged score is a submission like others.
        assert_eq!(answered("identities by the dozen"), 6.0);
        assert_eq!((answered("infinity and NaN"), answered("abstaining on blocks")), (0.0, 1.0));
        assert_eq!(answered("forged metrics"), 2.0);
        assert_eq!(found.curve.len(), CURVE.len());
    }

    /// The attacks are sound over HTTP too: where every answer is told they get something.
    #[test]
    fn a_grid_alone_gives_labels_away() {
        let found = attacked(Policy::Naive { step: 0.05 }, 24);
        let blind = found.outcomes.iter().find(|outcome| outcome.attack == "boosting without any knowledge").unwrap();
        assert!(blind.recovered.mean > 2.0 * attack::MOST_RECOVERED, "{blind:?}");
        assert!(found.broken().contains(&blind.attack));
        let (_, last) = found.curve[CURVE.len() - 1];
        assert!(last.mean > 0.05, "the best of many answers lies above what it is worth: {last:?}");
    }
}
