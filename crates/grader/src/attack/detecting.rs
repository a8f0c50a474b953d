//! Detecting matrices (Lindström 1965): all labels out of few exact counts, decided before the first answer.
//!
//! Every row is a number T, every group of columns a number S with popcount(S) columns; column i of S is 1 in row T where T ∩ S is one of the first
//! 2^i subsets of S of even size. The alternating sum of the counts over all T ⊆ S is then free of every group but S and those with
//! S as a proper part, which have been decoded before; what is left is Σ 2^i x_i, the labels of S as binary digits.

/// Columns of the first `rows` rows: (group, place in it) by item.
pub fn columns(items: usize) -> Vec<(u32, u32)> {
    (1u32..).flat_map(|group| (0..group.count_ones()).map(move |place| (group, place))).take(items).collect()
}

/// Rows that are needed for all of these columns.
pub fn rows(columns: &[(u32, u32)]) -> u32 {
    columns.last().map_or(0, |(group, _)| group + 1)
}

/// Whether a column has a 1 in a row.
pub fn entry(row: u32, (group, place): (u32, u32)) -> bool {
    let part = row & group;
    part.count_ones().is_multiple_of(2) && even_rank(part, group) < 1 << place
}

/// The number of even-sized subsets of `group` below `part`, itself one of them.
fn even_rank(part: u32, group: u32) -> u32 {
    // The bits of `part` at the places of `group`, closed up; half of the numbers below an even one are even, in pairs.
    let (mut packed, mut at) = (0, 0);
    for bit in 0..32 {
        if group >> bit & 1 == 1 {
            packed |= (part >> bit & 1) << at;
            at += 1;
        }
    }
    packed / 2
}

/// Decode counts of rows 0, 1, … into labels of the items whose groups those rows cover.
pub fn decode(columns: &[(u32, u32)], counts: &[f64]) -> Vec<(usize, bool)> {
    let covered = columns.iter().take_while(|(group, _)| (*group as usize) < counts.len()).count();
    let mut labels = vec![false; covered];
    let mut known = counts.to_vec();
    let mut end = covered;
    while end > 0 {
        let group = columns[end - 1].0;
        let start = columns[..end].iter().rposition(|column| column.0 != group).map_or(0, |at| at + 1);
        let sum: f64 = (0..=group)
            .filter(|row| row & group == *row)
            .map(|row| if row.count_ones().is_multiple_of(2) { known[row as usize] } else { -known[row as usize] })
            .sum();
        let digits = sum.round().clamp(0.0, f64::from((1u32 << (end - start)) - 1)) as u32;
        for item in start..end {
            labels[item] = digits >> columns[item].1 & 1 == 1;
            if labels[item] {
                for (row, count) in known.iter_mut().enumerate() {
                    *count -= f64::from(u8::from(entry(row as u32, columns[item])));
                }
            }
        }
        end = start;
    }
    labels.into_iter().enumerate().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_chat_problem_needs_318_rows() {
        assert_eq!(rows(&columns(1263)), 318);
        assert_eq!(rows(&columns(200)), 68);
    }

    proptest! {
        #[test]
        fn exact_counts_give_up_every_label(labels in prop::collection::vec(any::<bool>(), 1..300)) {
            let columns = columns(labels.len());
            let count = |row| columns.iter().zip(&labels).filter(|&(&column, &label)| label && entry(row, column)).count() as f64;
            let counts: Vec<f64> = (0..rows(&columns)).map(count).collect();
            let found: Vec<bool> = decode(&columns, &counts).into_iter().map(|(_, label)| label).collect();
            prop_assert_eq!(found, labels);
        }
    }
}
