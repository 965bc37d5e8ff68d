//! The server's configuration, in the dialect of its version.

use crate::certificates::STORE_PASSWORD;
use crate::{Flavour, Options};

const MECHANISMS: &str = "SCRAM-SHA-512 SCRAM-SHA-384 SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-SHA-512 DIGEST-SHA-384 \
    DIGEST-SHA-256 DIGEST-SHA DIGEST-MD5 PLAIN";

/// Users and passwords, in the form of the server's properties realm.
pub(crate) const USERS: &str = "#$REALM_NAME=default$\n#$ALGORITHM=clear$\nadmin=changeme\nreader=secret\npowerless=nothing\n\
     compatibility=pass²\nmicro=5µm\nellipsis=wait…\nspace=no\u{a0}break\nligature=ﬁn\ndecomposed=Ja\u{308}ger\nwide=ｐａｓｓ\n";

/// Users and their roles.
pub(crate) const GROUPS: &str = "admin=admin\nreader=observer\n";

/// Users of [`Flavour::Tenants`] beside the others: each has the role of its own name.
pub(crate) const TENANTS: &str = "alice=wonderland\nmallory=malice\n";

/// Roles of [`Flavour::Tenants`]. The server gives each principal the role of its own name; that of the client certificate is
/// `CN=admin`.
const TENANT_ROLES: &str = r#"<security><authorization group-only-mapping="false">
         <role name="admin" permissions="ALL"/>
         <role name="CN=admin" permissions="ALL"/>
         <role name="observer" permissions="ALL_READ MONITOR"/>
         <role name="alice" permissions="ALL_READ ALL_WRITE LISTEN"/>
         <role name="mallory" permissions="ALL_READ ALL_WRITE LISTEN"/>
      </authorization></security>"#;

/// The caches of [`Flavour::Tenants`], which nobody but their tenant and the administrator may use.
const TENANT_CACHES: &str = r#"<distributed-cache name="alice" mode="SYNC" owners="2" segments="256"><security><authorization roles="admin CN=admin alice"/></security></distributed-cache>
      <distributed-cache name="mallory" mode="SYNC" owners="2" segments="256"><security><authorization roles="admin CN=admin mallory"/></security></distributed-cache>"#;

/// Address, ports and name of one node, and the JGroups ports of all that may ever be there.
pub(crate) struct Place<'a> {
    pub(crate) index: usize,
    pub(crate) host: &'a str,
    pub(crate) hot_rod: u16,
    pub(crate) second: u16,
    pub(crate) jgroups: u16,
    pub(crate) all_jgroups: &'a [u16],
    pub(crate) cluster: &'a str,
}

/// `infinispan.xml` of one node.
pub(crate) fn server_xml(options: &Options, place: &Place<'_>) -> String {
    let Place { index, host, hot_rod, second, jgroups, all_jgroups, cluster } = place;
    let dialect = dialect(&options.version);
    let hosts: Vec<_> = all_jgroups.iter().map(|port| format!("127.0.0.1[{port}]")).collect();
    let hosts = hosts.join(",");
    let caches = caches(options);
    let container_security = match options.flavour {
        Flavour::Tenants => TENANT_ROLES,
        flavour if flavour.has_authentication() => "<security><authorization/></security>",
        _ => "",
    };
    let (realms, endpoints) = if options.flavour == Flavour::Pods { pod_security(*index) } else { security(options) };
    format!(
        r#"<infinispan xmlns="urn:infinispan:config:{dialect}">
   <jgroups>
      <stack name="loopback" extends="tcp">
         <TCP bind_addr="127.0.0.1" bind_port="{jgroups}" port_range="0" xmlns="urn:org:jgroups"/>
         <TCPPING initial_hosts="{hosts}" port_range="0" stack.combine="REPLACE" stack.position="MPING" xmlns="urn:org:jgroups"/>
      </stack>
   </jgroups>
   <cache-container name="default" statistics="true">
      <transport cluster="{cluster}" stack="loopback" node-name="${{infinispan.node.name:}}"/>
      {container_security}
      {caches}
   </cache-container>
   <server xmlns="urn:infinispan:server:{dialect}">
      <interfaces><interface name="public"><inet-address value="{host}"/></interface></interfaces>
      <socket-bindings default-interface="public" port-offset="0">
         <socket-binding name="default" port="{hot_rod}"/>
         <socket-binding name="second" port="{second}"/>
      </socket-bindings>
      {realms}
      {endpoints}
   </server>
</infinispan>
"#
    )
}

/// `16.0` of `16.0.7`.
fn dialect(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn caches(options: &Options) -> String {
    let secured = if options.flavour.has_authentication() { "<security><authorization/></security>" } else { "" };
    let local = |name: &str, inside: &str| format!("<local-cache name=\"{name}\">{inside}{secured}</local-cache>");
    let mut caches = vec![
        local("local", ""),
        local("bulk", ""),
        local("multimap", ""),
        local("listened", ""),
        local("proto", "<encoding media-type=\"application/x-protostream\"/>"),
        local("text", "<encoding media-type=\"text/plain\"/>"),
        local("tx", "<locking isolation=\"REPEATABLE_READ\"/><transaction mode=\"FULL_XA\" locking=\"PESSIMISTIC\"/>"),
    ];
    for (kind, name, attributes) in [
        ("distributed-cache", "dist", "owners=\"2\" segments=\"256\" statistics=\"true\""),
        ("distributed-cache", "bulk-iteration", "owners=\"2\" segments=\"256\""),
        ("distributed-cache", "probe", "owners=\"1\" segments=\"256\" statistics=\"true\""),
        ("distributed-cache", "matrix", "owners=\"2\" segments=\"256\""),
        ("distributed-cache", "matrix-multimap", "owners=\"2\" segments=\"256\""),
        ("distributed-cache", "matrix-listened", "owners=\"2\" segments=\"256\""),
        ("replicated-cache", "repl", ""),
        ("invalidation-cache", "inval", ""),
    ] {
        caches.push(format!("<{kind} name=\"{name}\" mode=\"SYNC\" {attributes}>{secured}</{kind}>"));
    }
    if options.flavour == Flavour::Tenants {
        caches.push(TENANT_CACHES.into());
    }
    caches.push(options.extra_caches.clone());
    caches.join("\n      ")
}

/// The realms, and the endpoints that use them.
fn security(options: &Options) -> (String, String) {
    let flavour = options.flavour;
    if !flavour.has_authentication() {
        return (String::new(), format!("<endpoints>{}</endpoints>", open_endpoint(options)));
    }
    let identity = if flavour == Flavour::Secure { tls_identity(false) } else { String::new() };
    let passwords = format!(
        "<security-realm name=\"passwords\">{identity}<properties-realm groups-attribute=\"Roles\">\
         <user-properties path=\"users.properties\"/><group-properties path=\"groups.properties\"/>\
         </properties-realm></security-realm>"
    );
    let mut realms = vec![passwords];
    let mut endpoints = vec![endpoint("default", "passwords", MECHANISMS, "")];
    if flavour.has_tls() {
        // A realm of its own: beside a trust store the server finds no passwords.
        let identity = tls_identity(true);
        realms.push(format!("<security-realm name=\"certificates\">{identity}<truststore-realm/></security-realm>"));
        endpoints.push(endpoint("second", "certificates", "EXTERNAL", " require-ssl-client-auth=\"true\""));
    }
    with_elements(&realms.concat(), &endpoints.concat())
}

/// Without passwords: at one port plain, at the other by TLS, where a pod's name is advertised in place of its address.
fn pod_security(index: usize) -> (String, String) {
    let realm = format!("<security-realm name=\"tls\">{}</security-realm>", tls_identity(false));
    let endpoints = format!(
        "<endpoint socket-binding=\"default\"/><endpoint socket-binding=\"second\" security-realm=\"tls\">\
         <hotrod-connector external-host=\"infinispan-{index}.infinispan-members\" external-port=\"11222\"/>\
         <rest-connector/></endpoint>"
    );
    with_elements(&realm, &endpoints)
}

fn with_elements(realms: &str, endpoints: &str) -> (String, String) {
    (
        format!("<security><security-realms>{realms}</security-realms></security>"),
        format!("<endpoints>{endpoints}</endpoints>"),
    )
}

/// For everyone.
fn open_endpoint(options: &Options) -> String {
    match &options.max_content_length {
        None => "<endpoint socket-binding=\"default\"/>".into(),
        Some(most) => format!(
            "<endpoint socket-binding=\"default\"><hotrod-connector max-content-length=\"{most}\"/><rest-connector/></endpoint>"
        ),
    }
}

fn endpoint(binding: &str, realm: &str, mechanisms: &str, more: &str) -> String {
    format!(
        "<endpoint socket-binding=\"{binding}\" security-realm=\"{realm}\"{more}><hotrod-connector>\
         <authentication><sasl mechanisms=\"{mechanisms}\" server-name=\"infinispan\" qop=\"auth\"/>\
         </authentication></hotrod-connector><rest-connector/></endpoint>"
    )
}

fn tls_identity(trusting: bool) -> String {
    let store = |element: &str, file: &str, more: &str| {
        format!(
            "<{element} path=\"{file}\" relative-to=\"infinispan.server.config.path\" password=\"{STORE_PASSWORD}\"{more}/>"
        )
    };
    let key = store("keystore", "server.p12", " alias=\"s\"");
    let trust = if trusting { store("truststore", "trust.p12", "") } else { String::new() };
    format!("<server-identities><ssl>{key}{trust}</ssl></server-identities>")
}
