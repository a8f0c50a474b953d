//! Cut the test items in two by whole clusters: a third for feedback, the rest for selection.

use super::rows::Labelled;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

/// Feedback and selection rows, each in the order given.
pub fn by_cluster(rows: Vec<Labelled>, seed: u64) -> (Vec<Labelled>, Vec<Labelled>) {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        *sizes.entry(&row.cluster).or_default() += 1;
    }
    let mut clusters: Vec<(&str, usize)> = sizes.into_iter().collect();
    clusters.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let wanted = rows.len() / 3;
    let (mut taken, mut count) = (BTreeSet::new(), 0);
    for (cluster, size) in clusters {
        if count + size <= wanted {
            taken.insert(cluster.to_owned());
            count += size;
        }
    }
    rows.into_iter().partition(|row| taken.contains(&row.cluster))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aar_domain::item::Item;

    #[test]
    fn no_cluster_is_cut() {
        let row = |i: usize| Labelled {
            item: Item::Binary { id: i.to_string().as_str().into(), question: "q".into(), choice: "c".into() },
            positive: true,
            cluster: (i / 4).to_string(),
        };
        let (feedback, selection) = by_cluster((0..120).map(row).collect(), 5);
        assert_eq!((feedback.len(), selection.len()), (40, 80));
        let names = |rows: &[Labelled]| rows.iter().map(|row| row.cluster.clone()).collect::<BTreeSet<_>>();
        assert!(names(&feedback).is_disjoint(&names(&selection)));
    }
}
