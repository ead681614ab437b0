//! The network view.

use super::mapping;
use super::mapping::Mapping;
use super::mapping::NODE;
use super::model::element;
use crate::format::FormatError;
use crate::format::field::Field;
use crate::format::field::fields;
use crate::format::field::required;
use crate::format::field::skip_others;
use crate::format::locate::Step;
use crate::format::reader::Number;
use crate::format::reader::Parsed;
use crate::format::reader::Reader;
use crate::format::reader::fault;
use crate::format::reader::quoted;
use crate::format::table::Positions;
use crate::format::writer::Json;
use crate::model::Endpoint;
use crate::model::Instance;
use crate::model::Link;
use crate::model::Network;
use crate::model::NetworkPart;
use crate::model::NodeId;
use crate::model::Route;
use crate::model::Routing;
use crate::model::Switch;
use crate::model::Topology;
use rustc_hash::FxHashMap;

const SWITCH: &str = "a switch: its integer";
const LINK: &str = "a link: its integer";

/// The position of a number that must be among those given before.
fn known(reader: &mut Reader<'_>, table: &Positions, kind: &str, what: &str) -> Parsed<u32> {
    let at = reader.here();
    let number = mapping::number(reader, what)?;
    table.get(number, kind, at)
}

pub(super) fn read<'a>(
    reader: &Reader<'a>,
    view: &[Field<'a>],
    start: usize,
    mapping: &Mapping,
) -> Parsed<Network> {
    let mut network = Network::default();
    let mut switches = Positions::default();
    required(view, "switches", start)?.read(reader, |reader| {
        reader.array("an array of switches")?;
        while reader.element()? {
            let start = reader.here();
            let fields = fields(reader, "a switch: an object with the keys `id` and `capacity`")?;
            let number =
                required(&fields, "id", start)?.read(reader, |reader| mapping::number(reader, SWITCH))?;
            let capacity = required(&fields, "capacity", start)?.read(reader, bandwidth)?;
            skip_others(reader, &fields, &["id", "capacity"])?;
            switches.add(number, "switch", start)?;
            network.switches.push(Switch::new(number, None, capacity));
        }
        Ok(())
    })?;
    let mut links = Positions::default();
    required(view, "links", start)?.read(reader, |reader| {
        reader.array("an array of links")?;
        while reader.element()? {
            let start = reader.here();
            let link = link(reader, &switches, mapping)?;
            links.add(link.number, "link", start)?;
            network.links.push(link);
        }
        Ok(())
    })?;
    network.routing =
        required(view, "routing", start)?.read(reader, |reader| routing(reader, &links, mapping))?;
    Ok(network)
}

/// Mbit/s; negative where there is no limit.
fn bandwidth(reader: &mut Reader<'_>) -> Parsed<Option<u64>> {
    const WHAT: &str = "a capacity in Mbit/s: a whole number of 1 or more, negative for no limit";
    let before = reader.clone();
    if reader.peek() != Some(b'-') {
        return match reader.unsigned(u64::MAX, WHAT)? {
            0 => before.clone().expected(WHAT),
            capacity => Ok(Some(capacity)),
        };
    }
    match reader.number(WHAT)? {
        Number::Int(0) | Number::Float(_) => before.clone().expected(WHAT),
        Number::Int(_) => Ok(None),
    }
}

fn link(reader: &mut Reader<'_>, switches: &Positions, mapping: &Mapping) -> Parsed<Link> {
    let start = reader.here();
    let keys = fields(reader, "a link: an object with `id`, `capacity`, `switch` and `physicalElement`")?;
    let number = required(&keys, "id", start)?.read(reader, |reader| mapping::number(reader, LINK))?;
    let capacity = required(&keys, "capacity", start)?.read(reader, |reader| {
        const WHAT: &str = "a capacity in Mbit/s: a whole number of 1 or more";
        let before = reader.clone();
        match reader.unsigned(u64::MAX, WHAT)? {
            0 => before.clone().expected(WHAT),
            capacity => Ok(capacity),
        }
    })?;
    let switch =
        required(&keys, "switch", start)?.read(reader, |reader| known(reader, switches, "switch", SWITCH))?;
    let end = required(&keys, "physicalElement", start)?.read(reader, |reader| {
        let start = reader.here();
        let end = fields(reader, "the other end: an object with the keys `type` and `id`")?;
        let kind = required(&end, "type", start)?;
        let at = kind.span.start;
        let kind = kind.read(reader, |reader| reader.text_value("`node` or `switch`"))?;
        let id = required(&end, "id", start)?;
        skip_others(reader, &end, &["type", "id"])?;
        match kind.as_ref() {
            "node" => {
                let node = id.read(reader, |reader| element(reader, &mapping.nodes, "node", NODE))?;
                Ok(Endpoint::Node(NodeId(node)))
            }
            "switch" => {
                let switch = id.read(reader, |reader| known(reader, switches, "switch", SWITCH))?;
                Ok(Endpoint::Switch(switch))
            }
            _ => fault(at, format!("expected `node` or `switch`, found {}", quoted(&kind))),
        }
    })?;
    skip_others(reader, &keys, &["id", "capacity", "switch", "physicalElement"])?;
    Ok(Link { number, capacity, switch, end })
}

fn routing(reader: &mut Reader<'_>, links: &Positions, mapping: &Mapping) -> Parsed<Routing> {
    let start = reader.here();
    let keys = fields(reader, "the routing: an object with the key `type`")?;
    let kind = required(&keys, "type", start)?;
    let at = kind.span.start;
    let kind = kind.read(reader, |reader| reader.text_value("`default` or `static`"))?;
    match kind.as_ref() {
        "default" => {
            skip_others(reader, &keys, &["type"])?;
            Ok(Routing::Tree)
        }
        "static" => {
            skip_others(reader, &keys, &["type", "routes"])?;
            required(&keys, "routes", start)?.read(reader, |reader| {
                let mut routes = Vec::new();
                reader.array("an array of routes")?;
                while reader.element()? {
                    routes.push(route(reader, links, mapping)?);
                }
                Ok(Routing::Fixed(routes))
            })
        }
        _ => fault(at, format!("expected `default` or `static`, found {}", quoted(&kind))),
    }
}

fn route(reader: &mut Reader<'_>, links: &Positions, mapping: &Mapping) -> Parsed<Route> {
    let start = reader.here();
    let keys = fields(reader, "a route: an object with the keys `nodes_map` and `links`")?;
    let (from, to) = required(&keys, "nodes_map", start)?.read(reader, |reader| {
        let start = reader.here();
        let ends = fields(reader, "an object with the keys `src` and `dst`")?;
        let node = |reader: &mut Reader<'_>| element(reader, &mapping.nodes, "node", NODE).map(NodeId);
        let from = required(&ends, "src", start)?.read(reader, node)?;
        let to = required(&ends, "dst", start)?.read(reader, node)?;
        skip_others(reader, &ends, &["src", "dst"])?;
        Ok((from, to))
    })?;
    let path = required(&keys, "links", start)?.read(reader, |reader| {
        let mut path = Vec::new();
        reader.array("an array of links")?;
        while reader.element()? {
            let start = reader.here();
            let step = fields(reader, "an object with the keys `link` and `direction`")?;
            let link =
                required(&step, "link", start)?.read(reader, |reader| known(reader, links, "link", LINK))?;
            let down = required(&step, "direction", start)?.read(reader, direction)?;
            skip_others(reader, &step, &["link", "direction"])?;
            path.push((link, down));
        }
        Ok(path)
    })?;
    skip_others(reader, &keys, &["nodes_map", "links"])?;
    Ok(Route { from, to, links: path })
}

/// A boolean, which BtrPlace writes in quotes.
fn direction(reader: &mut Reader<'_>) -> Parsed<bool> {
    const WHAT: &str = "a direction: \"true\" (downlink) or \"false\" (uplink)";
    if reader.peek() != Some(b'"') {
        return reader.boolean(WHAT);
    }
    let before = reader.clone();
    match reader.text_value(WHAT)?.as_ref() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => before.clone().expected(WHAT),
    }
}

/// Where a part of the network stands within the view.
pub(super) fn steps(part: NetworkPart) -> Vec<Step> {
    let list = |key: &str| vec![Step::key(key)];
    let one = |key: &str, at: u32| vec![Step::key(key), Step::At(at as usize)];
    match part {
        // There is no limit for each migration.
        NetworkPart::Whole | NetworkPart::PerMigration => Vec::new(),
        NetworkPart::Links => list("links"),
        NetworkPart::Routes => vec![Step::key("routing"), Step::key("routes")],
        NetworkPart::Switch(at) => one("switches", at),
        NetworkPart::Link(at) => one("links", at),
        NetworkPart::Route(at) => {
            vec![Step::key("routing"), Step::key("routes"), Step::At(at as usize)]
        }
    }
}

/// Is a network of these files what would be written of the network of an instance, in whatever
/// order it gives its routes?
pub(super) fn says(given: &Network, own: &Network, instance: &Instance) -> bool {
    let plain = |network: &Network| -> Vec<(u32, Option<u64>)> {
        network.switches.iter().map(|switch| (switch.number, switch.capacity)).collect()
    };
    let links = (0u32..).zip(&own.links).map(|(at, link)| Link { capacity: own.usable(at), ..link.clone() });
    if plain(given) != plain(own) || !given.links.iter().cloned().eq(links) {
        return false;
    }
    let told = given.routing.routes();
    let told_of = told.iter().map(|route| ((route.from, route.to), route.links.as_slice()));
    let told_of: FxHashMap<(NodeId, NodeId), &[(u32, bool)]> = told_of.collect();
    match &own.routing {
        Routing::Tree => given.routing == Routing::Tree,
        Routing::Fixed(routes) => {
            let same = |route: &Route| told_of.get(&(route.from, route.to)) == Some(&route.links.as_slice());
            told.len() == routes.len() && routes.iter().all(same)
        }
        Routing::Shortest | Routing::Mixed(_) => {
            let Ok(topology) = Topology::new(own, instance) else { return false };
            let (mut same, mut count) = (true, 0);
            for to in instance.node_ids() {
                topology.routes_to(to, |from, channels| {
                    let links = channels.iter().map(|&at| (at / 2, at % 2 == 1));
                    same &= told_of.get(&(from, to)).is_some_and(|told| told.iter().copied().eq(links));
                    count += 1;
                });
            }
            same && told.len() == count
        }
    }
}

/// Links on all routes together that are written at most: each is some 45 bytes of text.
const MOST_STEPS: usize = 1 << 24;

/// Writes the view: links have what migrations may use of them, switches have no names, and
/// where the shortest way is taken all routes are told, since BtrPlace's own search takes the
/// first way that it finds.
///
/// # Errors
/// Ways between so many nodes that the file would be of no use.
pub(super) fn write(json: &mut Json, network: &Network, instance: &Instance) -> Result<(), FormatError> {
    let node = |json: &mut Json, node: NodeId| {
        json.unsigned(u64::from(instance.nodes().number(node.index())));
    };
    let switch = |json: &mut Json, switch: u32| {
        json.unsigned(network.switches.get(switch as usize).map_or(0, |switch| u64::from(switch.number)));
    };
    json.raw("{\"id\": \"net\", \"switches\": ");
    json.array(network.switches.iter(), |json, switch| {
        json.raw("{\"id\": ");
        json.unsigned(u64::from(switch.number));
        json.raw(", \"capacity\": ");
        match switch.capacity {
            Some(capacity) => json.unsigned(capacity),
            None => json.raw("-1"),
        }
        json.raw("}");
    });
    json.raw(", \"links\": ");
    json.array((0u32..).zip(&network.links), |json, (at, link)| {
        json.raw("{\"id\": ");
        json.unsigned(u64::from(link.number));
        json.raw(", \"capacity\": ");
        json.unsigned(network.usable(at));
        json.raw(", \"switch\": ");
        switch(json, link.switch);
        match link.end {
            Endpoint::Node(id) => {
                json.raw(", \"physicalElement\": {\"type\": \"node\", \"id\": ");
                node(json, id);
            }
            Endpoint::Switch(id) => {
                json.raw(", \"physicalElement\": {\"type\": \"switch\", \"id\": ");
                switch(json, id);
            }
        }
        json.raw("}}");
    });
    let route = |json: &mut Json, from: NodeId, to: NodeId, links: &mut dyn Iterator<Item = (u32, bool)>| {
        json.raw("{\"nodes_map\": {\"src\": ");
        node(json, from);
        json.raw(", \"dst\": ");
        node(json, to);
        json.raw("}, \"links\": ");
        json.array(links, |json, (link, down)| {
            json.raw("{\"link\": ");
            json.unsigned(network.links.get(link as usize).map_or(0, |link| u64::from(link.number)));
            json.raw(if down { ", \"direction\": \"true\"}" } else { ", \"direction\": \"false\"}" });
        });
        json.raw("}");
    };
    match &network.routing {
        Routing::Tree => json.raw(", \"routing\": {\"type\": \"default\"}}"),
        Routing::Fixed(routes) => {
            json.raw(", \"routing\": {\"type\": \"static\", \"routes\": ");
            json.array(routes.iter(), |json, one| {
                route(json, one.from, one.to, &mut one.links.iter().copied());
            });
            json.raw("}}");
        }
        Routing::Shortest | Routing::Mixed(_) => {
            let topology =
                Topology::new(network, instance).map_err(|error| FormatError::whole(error.to_string()))?;
            json.raw(", \"routing\": {\"type\": \"static\", \"routes\": [");
            let (mut steps, mut first) = (0usize, true);
            for to in instance.node_ids() {
                topology.routes_to(to, |from, channels| {
                    steps += channels.len();
                    if steps > MOST_STEPS {
                        return;
                    }
                    json.raw(if std::mem::take(&mut first) { "" } else { ", " });
                    route(json, from, to, &mut channels.iter().map(|&at| (at / 2, at % 2 == 1)));
                });
                if steps > MOST_STEPS {
                    return Err(FormatError::whole(format!(
                        "BtrPlace files tell the way between any two nodes, which for {} nodes are more than \
                         {MOST_STEPS} links",
                        instance.node_count()
                    )));
                }
            }
            json.raw("]}}");
        }
    }
    Ok(())
}
