//! Compares a state machine with its table, written out cell by cell as text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Checks every state × event cell of `table` against `step`.
///
/// The first line names the states, each further line an event and its cells. A cell is `-` where
/// nothing happens, or `action,action/next-state`.
pub(crate) fn check<S, E, A>(
    table: &str,
    states: &[(&str, S)],
    events: &[(&str, E)],
    name: fn(&A) -> &'static str,
    step: impl Fn(S, E) -> (&'static [A], S),
) where
    S: Copy + PartialEq + core::fmt::Debug,
    E: Copy,
    A: 'static,
{
    let mut lines = table.lines().filter(|line| !line.trim().is_empty());
    let columns: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(columns, states.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), events.len(), "a row for every event");
    let named = |state: S| states.iter().find(|(_, s)| *s == state).map(|(name, _)| *name);
    for (row, (event_name, event)) in rows.iter().zip(events) {
        assert_eq!(row[0], *event_name);
        assert_eq!(row.len(), states.len() + 1, "a cell for every state in row {event_name}");
        for (cell, (state_name, state)) in row[1..].iter().zip(states) {
            let (actions, next) = step(*state, *event);
            let actions: Vec<&str> = actions.iter().map(name).collect();
            let Some(next_name) = named(next) else {
                panic!("{state_name} × {event_name} leads to {next:?}, which is not in the table")
            };
            let found = if actions.is_empty() && next == *state {
                String::from("-")
            } else {
                format!("{}/{next_name}", actions.join(","))
            };
            assert_eq!(found, *cell, "{state_name} × {event_name}");
        }
    }
}
