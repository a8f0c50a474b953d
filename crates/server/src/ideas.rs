//! Which families of ideas were tried, by whom, and how mixed the team was.

use crate::event::Purpose;
use crate::record::EvaluationRecord;
use std::collections::{BTreeMap, BTreeSet};

/// The team after one more submission.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// That submission.
    pub evaluation: i64,
    /// Researchers at work: each stands where its latest submission does; who retired leaves with its last one.
    pub active: usize,
    /// Families they stand in.
    pub families: usize,
    /// Shannon entropy of the active researchers over families, in bits.
    pub entropy: f64,
}

impl Point {
    /// The most that the entropy of so many researchers can be, every one in a family of its own.
    pub fn most(&self) -> f64 {
        (self.active.max(1) as f64).log2()
    }
}

fn submissions(evaluations: &[EvaluationRecord]) -> impl DoubleEndedIterator<Item = &EvaluationRecord> {
    evaluations.iter().filter(|record| record.asked.purpose == Purpose::Submission)
}

/// The team after every submission.
pub fn course(evaluations: &[EvaluationRecord], retired: &BTreeSet<String>) -> Vec<Point> {
    let mut last = BTreeMap::new();
    for record in submissions(evaluations) {
        last.insert(record.asked.by.as_str(), record.id);
    }
    let (mut stands, mut counts) = (BTreeMap::<&str, &str>::new(), BTreeMap::<&str, usize>::new());
    let leave = |counts: &mut BTreeMap<&str, usize>, family: &str| {
        if let Some(count) = counts.get_mut(family) {
            *count -= 1;
        }
        counts.retain(|_, count| *count > 0);
    };
    let mut course = Vec::new();
    for record in submissions(evaluations) {
        let (by, family) = (record.asked.by.as_str(), record.asked.family.as_str());
        if let Some(before) = stands.insert(by, family) {
            leave(&mut counts, before);
        }
        *counts.entry(family).or_default() += 1;
        let entropy = entropy(counts.values().copied());
        course.push(Point { evaluation: record.id, active: stands.len(), families: counts.len(), entropy });
        if retired.contains(by) && last.get(by) == Some(&record.id) {
            stands.remove(by);
            leave(&mut counts, family);
        }
    }
    course
}

/// A team that thinks one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Collapse {
    /// The family that most of it stands in.
    pub family: String,
    /// Who stands there, the one with the best answer first.
    pub inside: Vec<String>,
    /// The team as it stands.
    pub point: Point,
}

/// Fewer researchers than this are no team that could collapse.
const TEAM: usize = 4;
/// A team has collapsed when its entropy is below this share of what it could be: of nine, seven stand in one family and two in another.
pub const COLLAPSED: f64 = 0.25;
/// It has recovered when it is above this one.
pub const RECOVERED: f64 = 0.5;

/// How the team stands after its last submission, by the families of everybody's latest; `None` before there is a team.
pub fn standing(evaluations: &[EvaluationRecord], retired: &BTreeSet<String>) -> Option<Collapse> {
    let mut latest = BTreeMap::<&str, &EvaluationRecord>::new();
    for record in submissions(evaluations).filter(|record| !retired.contains(&record.asked.by)) {
        latest.insert(&record.asked.by, record);
    }
    let mut families = BTreeMap::<&str, Vec<&str>>::new();
    latest.iter().for_each(|(by, record)| families.entry(&record.asked.family).or_default().push(by));
    let evaluation = latest.values().map(|record| record.id).max()?;
    let (family, mut inside) = families.iter().max_by_key(|(_, names)| names.len()).map(|(f, n)| (*f, n.clone()))?;
    let best = |name: &&str| {
        let own = submissions(evaluations).filter(|record| record.asked.by == *name && record.asked.family == family);
        own.filter_map(|record| record.answer.filter(|_| record.answered)).fold(f64::NEG_INFINITY, f64::max)
    };
    inside.sort_by(|a, b| best(b).total_cmp(&best(a)));
    let entropy = entropy(families.values().map(Vec::len));
    let point = Point { evaluation, active: latest.len(), families: families.len(), entropy };
    let inside = inside.into_iter().map(str::to_owned).collect();
    (point.active >= TEAM).then(|| Collapse { family: family.to_owned(), inside, point })
}

/// Submissions per researcher and family.
pub fn matrix(evaluations: &[EvaluationRecord]) -> BTreeMap<&str, BTreeMap<&str, usize>> {
    let mut matrix = BTreeMap::<&str, BTreeMap<&str, usize>>::new();
    for record in submissions(evaluations) {
        *matrix.entry(&record.asked.by).or_default().entry(&record.asked.family).or_default() += 1;
    }
    matrix
}

/// Shannon's, in bits.
pub fn entropy(counts: impl Iterator<Item = usize> + Clone) -> f64 {
    let total = counts.clone().sum::<usize>().max(1) as f64;
    let shares = counts.filter(|count| *count > 0).map(|count| count as f64 / total);
    // Written so that a single family gives 0, not −0.
    shares.map(|share| share * (1.0 / share).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Queued;
    use crate::record::Status;
    use aar_domain::rung::Split;

    fn record(id: i64, by: &str, family: &str) -> EvaluationRecord {
        let asked = Queued {
            bundle: String::new(),
            name: String::new(),
            family: family.into(),
            parent: None,
            by: by.into(),
            turn: None,
            key: String::new(),
            split: Split::Feedback,
            purpose: Purpose::Submission,
            card: None,
        };
        EvaluationRecord { status: Status::Done, ..EvaluationRecord::queued(id, asked, vec![], 0) }
    }

    #[test]
    fn a_team_of_which_nearly_all_do_the_same_has_collapsed() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let team = |same: usize| -> Vec<EvaluationRecord> {
            let family = |at: usize| if at < same { "self-training".to_owned() } else { format!("family {at}") };
            names.iter().enumerate().map(|(at, name)| record(at as i64 + 1, name, &family(at))).collect()
        };
        let share = |same| {
            let standing = standing(&team(same), &BTreeSet::new()).unwrap();
            assert_eq!((standing.family.as_str(), standing.inside.len()), ("self-training", same));
            standing.point.entropy / standing.point.most()
        };
        assert!(share(9) < COLLAPSED && share(8) < COLLAPSED && share(7) > COLLAPSED && share(3) > RECOVERED);
        let left = names[..6].iter().map(|&name| name.to_owned()).collect();
        assert_eq!(standing(&team(9), &left), None, "three are no team");
        // Whoever got least out of it stands last.
        let mut answered = team(9);
        answered.iter_mut().for_each(|record| record.answered = true);
        answered[2].answer = Some(0.4);
        answered[5].answer = Some(0.1);
        let inside = standing(&answered, &BTreeSet::new()).unwrap().inside;
        assert_eq!(inside[..2], ["c", "f"]);
    }

    #[test]
    fn researchers_count_where_they_stand_and_no_more_when_they_left() {
        let all = [record(1, "ada", "a"), record(2, "boole", "b"), record(3, "ada", "b"), record(4, "curry", "a")];
        let seen = |retired: &[&str]| {
            let retired = retired.iter().map(|&name| name.to_owned()).collect();
            course(&all, &retired).iter().map(|point| (point.active, point.entropy)).collect::<Vec<_>>()
        };
        let third = (1.0 / 3.0) * 3f64.log2() + (2.0 / 3.0) * 1.5f64.log2();
        assert_eq!(seen(&[]), [(1, 0.0), (2, 1.0), (2, 0.0), (3, third)]);
        assert_eq!(seen(&["ada", "boole"]), [(1, 0.0), (2, 1.0), (1, 0.0), (1, 0.0)]);
        assert_eq!(matrix(&all)["ada"], [("a", 1), ("b", 1)].into());
    }
}
