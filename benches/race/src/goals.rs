//! What was aimed at, beside what was measured.

use vpn_core::crypto::EspSuite;

use crate::contender::Column;
use crate::packets::SIZES;
use crate::packets::Shape;
use crate::packets::Way;
use crate::race::Cell;
use crate::table::digits;

/// Goals of a suite in one direction: how many times as long as ours the others take at 1400
/// octets, on a processor with AES-NI, VAES and SHA-NI.
struct Goals {
    one: f64,
    batch: f64,
    batch_best_peer: f64,
    rivals: &'static str,
}

fn goals(suite: EspSuite, way: Way) -> Option<Goals> {
    let (seal, open, rivals) = match suite.to_string().as_str() {
        "aes256-sha1" => ([1.6, 4.5, 1.5], [1.25, 2.2, 1.3], "intel-ipsec-mb"),
        "aes256-sha256" => ([1.6, 3.5, 1.3], [1.2, 2.0, 1.2], "intel-ipsec-mb"),
        "aes256gcm16" => ([2.5, 2.5, 1.1], [2.5, 2.5, 1.1], "ring, intel-ipsec-mb"),
        "3des-sha1" => ([2.8, 8.0, 3.0], [20.0, 35.0, 13.0], "OpenSSL"),
        _ => return None,
    };
    let [one, batch, batch_best_peer] = if way == Way::Seal { seal } else { open };
    Some(Goals { one, batch, batch_best_peer, rivals })
}

/// A line of the table.
struct Line {
    what: String,
    goal: f64,
    /// What was measured, and the worst of it is what counts.
    measured: Vec<(String, f64)>,
}

/// The table of goals, in Markdown; empty if there is nothing to compare.
pub(crate) fn table(cells: &[Cell], suites: &[EspSuite]) -> String {
    let mut text = String::new();
    for suite in suites {
        for way in Way::ALL {
            for line in lines(cells, *suite, way) {
                let Some(worst) = line.measured.iter().map(|(_, ratio)| *ratio).reduce(f64::min)
                else {
                    continue;
                };
                let measured: Vec<_> = line
                    .measured
                    .iter()
                    .map(|(of, ratio)| format!("{}{of}", digits(*ratio)))
                    .collect();
                // As printed: what rounds to the goal has reached it.
                let met = (worst * 100.0).round() >= (line.goal * 100.0).round();
                text += &format!(
                    "| {suite} {way} | {} | {} | {} | {} |\n",
                    line.what,
                    line.goal,
                    measured.join(", "),
                    if met { "met" } else { "**missed**" }
                );
            }
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("| suite | against | goal | measured | |\n|---|---|---|---|---|\n{text}")
}

fn lines(cells: &[Cell], suite: EspSuite, way: Way) -> Vec<Line> {
    let Some(goals) = goals(suite, way) else { return Vec::new() };
    let of = |payload: usize, shape: Shape| {
        cells.iter().find(|cell| {
            (cell.task.suite, cell.task.way, cell.task.shape) == (suite, way, shape)
                && cell.payload == payload
        })
    };
    let against = |payload: usize, shapes: &[Shape], rivals: &dyn Fn(Column) -> bool| {
        let ratio = |shape: &Shape| {
            let cell = of(payload, *shape)?;
            let best = cell.times.iter().map(|time| time.column).filter(|column| rivals(*column));
            let ratio = best.filter_map(|column| cell.ratio(column)).reduce(f64::min)?;
            Some((if shapes.len() > 1 { format!(" ({shape})") } else { String::new() }, ratio))
        };
        shapes.iter().filter_map(ratio).collect::<Vec<_>>()
    };
    let batches = [Shape::BatchOneSa, Shape::BatchManySas];
    let rust_crypto = |column| column == Column::RustCrypto;
    let named = |column: Column| goals.rivals.split(", ").any(|rival| rival == column.name());
    let mut lines = vec![
        Line {
            what: "RustCrypto, one packet of 1400".to_owned(),
            goal: goals.one,
            measured: against(1400, &[Shape::One], &rust_crypto),
        },
        Line {
            what: "RustCrypto, batch of 1400".to_owned(),
            goal: goals.batch,
            measured: against(1400, &batches, &rust_crypto),
        },
        Line {
            what: format!("best of {}, batch of 1400", goals.rivals),
            goal: goals.batch_best_peer,
            measured: against(1400, &batches, &named),
        },
    ];
    if let EspSuite::Combined(_) = suite {
        lines.push(Line {
            what: "RustCrypto, 64".to_owned(),
            goal: 3.5,
            measured: against(64, &Shape::ALL, &rust_crypto),
        });
    }
    for payload in SIZES.into_iter().filter(|payload| *payload < 1400) {
        lines.push(Line {
            what: format!("best peer, {payload}"),
            goal: 1.0,
            measured: against(payload, &Shape::ALL, &Column::is_peer),
        });
    }
    lines
}
