//! The most common answer to a question: what the study's agents answered with in place of judging.

use crate::lint::words::{final_answer, normal};
use crate::surface::replies;
use aar_domain::item::Item;
use std::collections::{BTreeMap, HashMap};

/// What the most common answer to each question says, `[items]`: whether the item gives it (of a pair: whether the first reply is the more
/// common one); `None` where it says nothing. An item is its question and its answer, or its two.
pub fn says<'a>(items: impl Iterator<Item = (&'a str, Vec<String>)>) -> Vec<Option<bool>> {
    let items: Vec<(String, Vec<String>)> = items.map(|(question, answers)| (normal(question), answers)).collect();
    let mut counts: HashMap<&str, BTreeMap<&str, usize>> = HashMap::new();
    for (question, answers) in &items {
        let of_question = counts.entry(question).or_default();
        answers.iter().for_each(|answer| *of_question.entry(answer).or_default() += 1);
    }
    let one = |(question, answers): &(String, Vec<String>)| {
        let of_question = &counts[question.as_str()];
        let own: Vec<usize> = answers.iter().map(|answer| of_question[answer.as_str()]).collect();
        if let [first, second] = own[..] {
            return (first != second).then_some(first > second);
        }
        let most = of_question.values().copied().max().unwrap_or(0);
        let tops = of_question.values().filter(|&&count| count == most).count();
        (most >= 2 && tops == 1).then_some(own[0] == most)
    };
    items.iter().map(one).collect()
}

/// What an item answers: both replies of a pair, or the last line of a worked solution, or the one answer.
pub fn answers(item: &Item) -> Vec<String> {
    let (first, second) = replies(item);
    match item {
        Item::Preference { .. } => vec![normal(first), normal(second)],
        Item::Binary { .. } => vec![final_answer(first).unwrap_or_else(|| normal(first))],
    }
}

/// What an item asks.
pub fn question(item: &Item) -> &str {
    match item {
        Item::Preference { prompt, .. } => prompt,
        Item::Binary { question, .. } => question,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_most_items_of_the_question_answer_and_nothing_where_none_leads() {
        let single = [("2+2?", "4"), ("2 + 2", "4"), ("2+2?", "5"), ("3+3?", "6"), ("3+3?", "7"), ("1+1?", "2")];
        let found = says(single.iter().map(|(question, answer)| (*question, vec![(*answer).to_owned()])));
        assert_eq!(found, [Some(true), Some(true), Some(false), None, None, None]);
        let pairs = [("q", "a", "b"), ("q", "c", "a"), ("r", "a", "b")];
        let found = says(pairs.iter().map(|(question, a, b)| (*question, vec![(*a).to_owned(), (*b).to_owned()])));
        assert_eq!(found, [Some(true), Some(false), None]);
    }
}
