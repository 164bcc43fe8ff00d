//! The tables, in Markdown.

use core::fmt::Write;

use vpn_core::crypto::EspSuite;

use crate::contender::Column;
use crate::packets::Way;
use crate::race::Cell;

/// A heading and the table of a suite.
pub(crate) fn suite(cells: &[Cell], suite: EspSuite) -> String {
    let cells: Vec<&Cell> = cells.iter().filter(|cell| cell.task.suite == suite).collect();
    let mut columns: Vec<Column> =
        cells.iter().flat_map(|cell| &cell.times).map(|time| time.column).collect();
    columns.sort_unstable();
    columns.dedup();

    let mut text = format!("### {suite}\n\n| ns a packet (times ours) |");
    columns.iter().for_each(|column| write!(text, " {} |", column.name()).unwrap());
    text += "\n|---|";
    text += &"---:|".repeat(columns.len());
    text.push('\n');
    for cell in cells {
        write!(text, "| {} {}, {} |", cell.task.way, cell.payload, cell.task.shape).unwrap();
        for column in &columns {
            match (cell.time(*column), cell.ratio(*column)) {
                (Some(time), _) if *column == Column::Ours => {
                    let gbits = digits(cell.payload as f64 * 8.0 / time.ns);
                    write!(text, " **{}** ({gbits} Gbit/s) |", digits(time.ns)).unwrap();
                }
                (Some(time), Some(ratio)) => {
                    write!(text, " {} ({}) |", digits(time.ns), digits(ratio)).unwrap();
                }
                _ => text += " – |",
            }
        }
        text.push('\n');
    }
    text
}

/// Three digits before and after the point together.
pub(crate) fn digits(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Which contender stands for the columns that have several.
pub(crate) fn variants(cells: &[Cell]) -> Option<String> {
    let mut wins: Vec<(String, usize)> = Vec::new();
    for time in cells.iter().flat_map(|cell| {
        cell.times.iter().filter_map(|time| {
            let fastest = cell.time(time.column)?;
            (!time.variant.is_empty() && core::ptr::eq(fastest, time)).then_some(time)
        })
    }) {
        let name = format!("{} ({})", time.column.name(), time.variant);
        match wins.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => wins.push((name, 1)),
        }
    }
    wins.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    let list: Vec<_> = wins.iter().map(|(name, count)| format!("{name} in {count}")).collect();
    (!list.is_empty())
        .then(|| format!("The fastest of a library's ways counts: {}.", list.join(", ")))
}

/// The way a plot's title names a suite and direction.
pub(crate) fn title(suite: EspSuite, way: Way) -> String {
    let suite = match suite.to_string().as_str() {
        "aes256-sha1" => "AES-256-CBC, SHA1-96".to_owned(),
        "aes256-sha256" => "AES-256-CBC, SHA2-256-128".to_owned(),
        "aes256gcm16" => "AES-256-GCM-16".to_owned(),
        "3des-sha1" => "3DES-CBC, SHA1-96".to_owned(),
        other => other.to_owned(),
    };
    format!("{suite}: {way}")
}
