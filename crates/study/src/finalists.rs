//! The finalist rule, fixed at the start ([`crate::plan::ANALYSIS`]).

use std::collections::BTreeSet;

/// A graded submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its evaluation.
    pub evaluation: i64,
    /// Its bundle.
    pub bundle: String,
    /// Its author.
    pub by: String,
    /// Whether its author is a random control.
    pub random: bool,
    /// Feedback PGR.
    pub pgr: f64,
}

/// At most `count` evaluations: each random control's best, then the best others, no bundle twice; best first.
pub fn choose(candidates: &[Candidate], count: usize) -> Vec<i64> {
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    // Ties go to whoever came first.
    sorted.sort_by(|a, b| b.pgr.total_cmp(&a.pgr).then(a.evaluation.cmp(&b.evaluation)));
    let mut chosen: Vec<&Candidate> = Vec::new();
    let mut controls = BTreeSet::new();
    for candidate in &sorted {
        if candidate.random && controls.insert(&candidate.by) && chosen.len() < count {
            chosen.push(candidate);
        }
    }
    for candidate in &sorted {
        if chosen.len() < count && !chosen.iter().any(|other| other.bundle == candidate.bundle) {
            chosen.push(candidate);
        }
    }
    chosen.sort_by(|a, b| b.pgr.total_cmp(&a.pgr).then(a.evaluation.cmp(&b.evaluation)));
    chosen.into_iter().map(|candidate| candidate.evaluation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_has_its_place_and_no_bundle_two() {
        let candidate = |evaluation, bundle: &str, by: &str, pgr| Candidate {
            evaluation,
            bundle: bundle.into(),
            by: by.into(),
            random: by == "random",
            pgr,
        };
        let all = [
            candidate(1, "a", "ada", 0.9),
            candidate(2, "a", "boole", 0.9),
            candidate(3, "b", "boole", 0.8),
            candidate(4, "c", "random", 0.1),
            candidate(5, "d", "random", 0.05),
            candidate(6, "e", "curry", 0.7),
            candidate(7, "f", "curry", 0.6),
        ];
        assert_eq!(choose(&all, 4), [1, 3, 6, 4]);
        assert_eq!(choose(&all, 1), [4]);
        assert_eq!(choose(&all[..2], 4), [1]);
        assert_eq!(choose(&[], 4), Vec::<i64>::new());
    }
}
