#include "route/names.h"

#include "base/writer.h"
#include "route/words.h"

#define NUMBER_FROM 2 /* of drawn names */
#define NUMBERS 998   /* 2 ... 999 */

#define W(word) ADIT_BYTES_INIT(word)

/* Without hyphens, for log-in is login. Sorted. */
static const struct adit_bytes reserved[] = {
    W("abuse"), W("account"), W("accounts"), W("acme"), W("acmechallenge"), W("adit"), W("aditd"),
    W("admin"), W("administrator"), W("api"), W("apis"), W("auth"), W("authenticate"),
    W("authentication"), W("authorize"), W("autoconfig"), W("autodiscover"), W("billing"),
    W("bimi"), W("broadcasthost"), W("caldav"), W("carddav"), W("checkout"), W("compliance"),
    W("connect"), W("console"), W("control"), W("controlpanel"), W("cpanel"), W("daemon"),
    W("dash"), W("dashboard"), W("dkim"), W("dmarc"), W("dns"), W("domainkey"), W("email"),
    W("finance"), W("fraud"), W("ftp"), W("ftps"), W("gateway"), W("health"), W("healthz"),
    W("help"), W("helpdesk"), W("hostmaster"), W("id"), W("identity"), W("imap"), W("imaps"),
    W("info"), W("internal"), W("invoice"), W("invoices"), W("ipp"), W("irc"), W("isatap"),
    W("ldap"), W("ldaps"), W("legal"), W("listmaster"), W("lists"), W("localdomain"),
    W("localhost"), W("login"), W("logon"), W("logout"), W("mail"), W("mailer"),
    W("mailerdaemon"), W("mailhost"), W("mailserver"), W("manage"), W("marketing"), W("master"),
    W("metrics"), W("mfa"), W("mtasts"), W("mx"), W("myaccount"), W("mysql"), W("nameserver"),
    W("nntp"), W("nobody"), W("noc"), W("noreply"), W("ns"), W("ntp"), W("null"), W("oauth"),
    W("official"), W("oidc"), W("openid"), W("operator"), W("otp"), W("owner"), W("passkey"),
    W("password"), W("passwords"), W("pay"), W("payment"), W("payments"), W("phishing"), W("pop"),
    W("portal"), W("postgres"), W("postmaster"), W("pricing"), W("privacy"), W("proxy"),
    W("purchase"), W("register"), W("root"), W("sales"), W("saml"), W("secure"), W("security"),
    W("sftp"), W("signin"), W("signout"), W("signup"), W("sip"), W("sips"), W("smtp"), W("smtps"),
    W("spam"), W("spf"), W("ssh"), W("ssl"), W("ssladmin"), W("ssladministrator"),
    W("sslwebmaster"), W("sso"), W("staff"), W("status"), W("stun"), W("submission"),
    W("subscribe"), W("superuser"), W("support"), W("sysadmin"), W("system"), W("telnet"),
    W("tls"), W("token"), W("tokens"), W("trust"), W("undefined"), W("unsubscribe"), W("update"),
    W("updates"), W("usenet"), W("username"), W("uucp"), W("verification"), W("verify"), W("vpn"),
    W("wallet"), W("webdav"), W("webmail"), W("webmaster"), W("whois"), W("wpad"), W("www"),
    W("xmpp"),
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* What a digit is read as when it stands for a letter; 1 is the one that can be two. */
static uint8_t letter_of(uint8_t byte, uint8_t one)
{
    switch (byte) {
    case '0':
        return 'o';
    case '1':
        return one;
    case '3':
        return 'e';
    case '4':
        return 'a';
    case '5':
        return 's';
    case '7':
        return 't';
    default:
        return byte;
    }
}

static bool is_listed(struct adit_bytes word)
{
    for (size_t i = 0; i < ADIT_COUNT(reserved); i++) {
        if (adit_bytes_equal(ADIT_AT(reserved, i), word)) {
            return true;
        }
    }
    return false;
}

/* The name as an eye takes it in: without hyphens, digits as the letters that they look like. */
static bool looks_listed(struct adit_bytes name, uint8_t one)
{
    uint8_t memory[ADIT_NAME_BYTES_MAX] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = adit_bytes_at(name, i);
        if (byte != '-' && !adit_is_ok(adit_write_u8(&writer, letter_of(byte, one)))) {
            return false;
        }
    }
    return is_listed(adit_writer_bytes(&writer));
}

bool adit_name_is_reserved(struct adit_bytes name)
{
    struct adit_bytes word = name;
    if (adit_bytes_starts_with(name, ADIT_BYTES("_"))) {
        return true;
    }
    while (word.len > 0 && is_digit(adit_bytes_at(word, word.len - 1))) {
        word = adit_bytes_first(word, word.len - 1); /* ns1, mail02 */
    }
    return looks_listed(word, 'l') || looks_listed(word, 'i') || looks_listed(name, 'l') ||
           looks_listed(name, 'i');
}

/* SplitMix64 (Steele, Lea and Flood, 2014): neighbours in, nothing alike out. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

void adit_name_draw(uint64_t seed, uint32_t attempt, struct adit_name_text *out_name)
{
    uint8_t memory[ADIT_NAME_BYTES_MAX] = {0};
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    uint64_t draw = mix(seed + ((uint64_t)attempt + 1) * 0x9e3779b97f4a7c15u);
    uint64_t number = NUMBER_FROM + (draw >> 16 & 0xffffffff) % NUMBERS;
    const char *fits = "two words and a number are 17 bytes at most";
    adit_status_ignore(adit_write_bytes(&writer, adit_word_first((uint8_t)draw)), fits);
    adit_status_ignore(adit_write_u8(&writer, '-'), fits);
    adit_status_ignore(adit_write_bytes(&writer, adit_word_second((uint8_t)(draw >> 8))), fits);
    adit_status_ignore(adit_write_u8(&writer, '-'), fits);
    adit_status_ignore(adit_write_decimal(&writer, number), fits);
    adit_status_ignore(ADIT_FIELD_SET(out_name->text, adit_writer_bytes(&writer)), fits);
}

struct adit_bytes adit_name_of_host(struct adit_bytes host, struct adit_bytes domain)
{
    const struct adit_bytes none = {0};
    if (domain.len == 0 || host.len < domain.len + 2 || !adit_bytes_ends_with(host, domain)) {
        return none;
    }
    struct adit_bytes label = adit_bytes_first(host, host.len - domain.len - 1);
    if (adit_bytes_at(host, label.len) != '.' || adit_bytes_find(label, '.') < label.len) {
        return none;
    }
    return label;
}
