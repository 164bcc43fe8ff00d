//! The plot for the README: a panel for each suite and direction, a bar for each contender.

use core::error::Error;

use plotters::prelude::ChartBuilder;
use plotters::prelude::Color;
use plotters::prelude::IntoDrawingArea;
use plotters::prelude::IntoFont;
use plotters::prelude::RGBColor;
use plotters::prelude::Rectangle;
use plotters::prelude::SVGBackend;
use plotters::prelude::Text;
use plotters::prelude::WHITE;
use plotters::style::TextStyle;
use vpn_core::crypto::EspSuite;

use crate::contender::Column;
use crate::packets::Shape;
use crate::packets::Way;
use crate::race::Cell;
use crate::table::digits;
use crate::table::title;

const DARK: RGBColor = RGBColor(0x12, 0x26, 0x3a);
const SOFT: RGBColor = RGBColor(0x33, 0x50, 0x6b);
const OURS: RGBColor = RGBColor(0x1f, 0x77, 0xb4);
const OTHERS: RGBColor = RGBColor(0xb8, 0xc9, 0xd9);

/// Draws the batches of 32 SAs at 1400 octets, and returns the SVG.
pub(crate) fn plot(
    cells: &[Cell],
    suites: &[EspSuite],
    caption: &str,
) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let panels = suites.len() as u32;
        let area = SVGBackend::with_string(&mut svg, (860, 50 + 150 * panels)).into_drawing_area();
        area.fill(&WHITE)?;
        let small = TextStyle::from(("sans-serif", 13).into_font()).color(&SOFT);
        let heading = TextStyle::from(("sans-serif", 15).into_font()).color(&DARK);
        let above =
            "ESP on one core, Gbit/s: packets of 1400 octets, one each of 32 SAs in a batch";
        area.draw(&Text::new(above, (8, 8), heading.clone()))?;
        area.draw(&Text::new(caption, (8, 28), small.clone()))?;
        // As many in every panel, so that all bars are of one height.
        let rows = cells.iter().map(|cell| bars(cell).len()).max().unwrap_or(1);
        let places = area.margin(48, 0, 0, 0).split_evenly((suites.len(), 2));
        let wanted = suites.iter().flat_map(|suite| Way::ALL.map(|way| (*suite, way)));
        for ((suite, way), place) in wanted.zip(places) {
            let found = cells.iter().find(|cell| {
                (cell.task.suite, cell.task.way, cell.task.shape)
                    == (suite, way, Shape::BatchManySas)
                    && cell.payload == 1400
            });
            let Some(cell) = found else { continue };
            let bars = bars(cell);
            let widest = bars.iter().map(|(_, gbits)| *gbits).fold(0.0, f64::max);
            // Room on the left for names and on the right for numbers, in the unit of the axis.
            let (left, right) = (-0.42 * widest, 1.2 * widest);
            place.draw(&Text::new(title(suite, way), (8, 4), heading.clone()))?;
            let mut chart = ChartBuilder::on(&place)
                .margin(8)
                .margin_top(24)
                .build_cartesian_2d(left..right, rows as f64..0.0)?;
            for (row, (column, gbits)) in bars.iter().enumerate() {
                let row = row as f64;
                let colour = if *column == Column::Ours { OURS } else { OTHERS };
                let number = digits(*gbits);
                chart.draw_series([Rectangle::new(
                    [(0.0, row + 0.12), (*gbits, row + 0.88)],
                    colour.filled(),
                )])?;
                chart.draw_series([
                    Text::new(column.name().to_owned(), (left, row + 0.2), small.clone()),
                    Text::new(number, (*gbits + 0.015 * widest, row + 0.2), small.clone()),
                ])?;
            }
        }
        area.present()?;
    }
    Ok(svg)
}

/// Contenders with their rates in Gbit/s, in the order of the table.
fn bars(cell: &Cell) -> Vec<(Column, f64)> {
    let mut columns: Vec<Column> = cell.times.iter().map(|time| time.column).collect();
    columns.sort_unstable();
    columns.dedup();
    columns.retain(|column| !matches!(column, Column::OnPath(_)));
    let rate = |column| Some((column, cell.payload as f64 * 8.0 / cell.time(column)?.ns));
    columns.into_iter().filter_map(rate).collect()
}
