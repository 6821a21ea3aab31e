#include "route/words.h"

/* Short, easy to say and to spell, at home on anybody's screen. Sorted; one list has no word of the
 * other. A word that turns out to be a bad idea is replaced in its place, so that the names of all
 * others stay what they are. */
#define W(word) ADIT_BYTES_INIT(word)

/* What a thing can be. */
static const struct adit_bytes firsts[ADIT_WORDS] = {
    W("able"), W("agile"), W("airy"), W("alert"), W("amber"), W("ample"), W("apt"), W("aqua"),
    W("arid"), W("artful"), W("ashen"), W("autumn"), W("azure"), W("balmy"), W("bold"),
    W("boreal"), W("bouncy"), W("brave"), W("breezy"), W("bright"), W("brisk"), W("bronze"),
    W("bubbly"), W("calm"), W("candid"), W("canny"), W("casual"), W("chalky"), W("cheery"),
    W("chief"), W("chilly"), W("civil"), W("classy"), W("clean"), W("clear"), W("clever"),
    W("cloudy"), W("cobalt"), W("cool"), W("copper"), W("coral"), W("cosmic"), W("cosy"),
    W("crafty"), W("creamy"), W("crisp"), W("cuddly"), W("curly"), W("cyan"), W("dainty"),
    W("dapper"), W("daring"), W("deep"), W("deft"), W("dewy"), W("dotted"), W("downy"),
    W("dreamy"), W("dusky"), W("dusty"), W("eager"), W("early"), W("earthy"), W("easy"),
    W("equal"), W("even"), W("exact"), W("fabled"), W("fair"), W("famed"), W("fancy"), W("fine"),
    W("firm"), W("fleecy"), W("fleet"), W("floral"), W("fluent"), W("fluffy"), W("fluted"),
    W("foamy"), W("fond"), W("frank"), W("free"), W("fresh"), W("frosty"), W("frugal"),
    W("genial"), W("gentle"), W("gilded"), W("glad"), W("glassy"), W("golden"), W("good"),
    W("grand"), W("grassy"), W("green"), W("gritty"), W("happy"), W("hazel"), W("hazy"),
    W("hearty"), W("hidden"), W("hilly"), W("honest"), W("humble"), W("icy"), W("ideal"),
    W("indigo"), W("inky"), W("ivory"), W("jade"), W("jaunty"), W("jazzy"), W("jolly"),
    W("jovial"), W("joyful"), W("keen"), W("kind"), W("laurel"), W("lavish"), W("leafy"),
    W("level"), W("light"), W("lilac"), W("limber"), W("lively"), W("lofty"), W("loyal"),
    W("lucid"), W("lucky"), W("lunar"), W("lush"), W("maroon"), W("mellow"), W("merry"),
    W("mighty"), W("mild"), W("minty"), W("misty"), W("modern"), W("modest"), W("mossy"),
    W("motley"), W("muted"), W("navy"), W("neat"), W("nifty"), W("nimble"), W("noble"),
    W("nordic"), W("novel"), W("oaken"), W("ochre"), W("olive"), W("onward"), W("opal"), W("open"),
    W("orange"), W("ornate"), W("pale"), W("pastel"), W("peachy"), W("pearly"), W("peppy"),
    W("perky"), W("placid"), W("plaid"), W("plucky"), W("plush"), W("poised"), W("polar"),
    W("polite"), W("prime"), W("proud"), W("pure"), W("quaint"), W("quick"), W("quiet"),
    W("quirky"), W("rapid"), W("rare"), W("ready"), W("regal"), W("rosy"), W("round"), W("royal"),
    W("ruby"), W("rugged"), W("rural"), W("russet"), W("rustic"), W("sage"), W("sandy"),
    W("satin"), W("savvy"), W("scenic"), W("serene"), W("sharp"), W("shiny"), W("silent"),
    W("silken"), W("silver"), W("simple"), W("sleek"), W("smart"), W("smooth"), W("snowy"),
    W("snug"), W("solar"), W("solid"), W("sonic"), W("sparky"), W("spry"), W("stable"),
    W("starry"), W("steady"), W("still"), W("stout"), W("sturdy"), W("sunlit"), W("sunny"),
    W("superb"), W("supple"), W("sure"), W("swift"), W("tall"), W("tawny"), W("teal"), W("tender"),
    W("tidal"), W("tidy"), W("timely"), W("tiny"), W("topaz"), W("true"), W("trusty"), W("twin"),
    W("umber"), W("unique"), W("upbeat"), W("valid"), W("vast"), W("vivid"), W("warm"), W("wavy"),
    W("whole"), W("wild"), W("windy"), W("winter"), W("wise"), W("witty"), W("woody"), W("woolly"),
    W("young"), W("zesty"), W("zippy"),
};

/* Animals, plants, and what one meets outdoors or at home. */
static const struct adit_bytes seconds[ADIT_WORDS] = {
    W("acorn"), W("agate"), W("alder"), W("almond"), W("anchor"), W("anvil"), W("apple"),
    W("arbor"), W("arch"), W("aspen"), W("aster"), W("attic"), W("aurora"), W("badger"),
    W("bamboo"), W("banjo"), W("barley"), W("barn"), W("basil"), W("basin"), W("bay"), W("beach"),
    W("beacon"), W("bell"), W("bench"), W("berry"), W("birch"), W("bison"), W("bloom"), W("boat"),
    W("bobcat"), W("bonsai"), W("book"), W("bowl"), W("branch"), W("bread"), W("brick"),
    W("bridge"), W("brook"), W("broom"), W("bugle"), W("burrow"), W("button"), W("cabin"),
    W("cactus"), W("camel"), W("canal"), W("candle"), W("canoe"), W("canyon"), W("cargo"),
    W("castle"), W("cedar"), W("cello"), W("chalk"), W("cherry"), W("chime"), W("cinder"),
    W("citrus"), W("cliff"), W("cloak"), W("clock"), W("cloud"), W("clover"), W("coast"),
    W("comet"), W("cove"), W("coyote"), W("crane"), W("crater"), W("creek"), W("cube"),
    W("curlew"), W("daisy"), W("dale"), W("deer"), W("delta"), W("desert"), W("dingo"), W("dove"),
    W("dragon"), W("drum"), W("dune"), W("eagle"), W("echo"), W("egret"), W("ember"), W("emu"),
    W("falcon"), W("fennel"), W("ferret"), W("ferry"), W("fiddle"), W("field"), W("finch"),
    W("fjord"), W("flame"), W("flint"), W("flute"), W("fog"), W("fox"), W("frog"), W("galaxy"),
    W("garden"), W("garnet"), W("gate"), W("gecko"), W("geyser"), W("ginger"), W("glade"),
    W("glen"), W("globe"), W("goose"), W("gorge"), W("grape"), W("grove"), W("gull"), W("hamlet"),
    W("harbor"), W("harp"), W("hawk"), W("hedge"), W("heron"), W("hill"), W("honey"), W("igloo"),
    W("iris"), W("island"), W("ivy"), W("jacket"), W("jaguar"), W("jay"), W("kayak"), W("kelp"),
    W("kettle"), W("kite"), W("kiwi"), W("koala"), W("ladder"), W("lagoon"), W("lake"), W("lamp"),
    W("larch"), W("leaf"), W("lemur"), W("lens"), W("lily"), W("lion"), W("lizard"), W("llama"),
    W("locket"), W("loom"), W("lotus"), W("lynx"), W("magnet"), W("magpie"), W("marlin"),
    W("marmot"), W("marsh"), W("marten"), W("meadow"), W("melon"), W("meteor"), W("mill"),
    W("mint"), W("mitten"), W("moose"), W("moss"), W("nebula"), W("nectar"), W("nutmeg"), W("oak"),
    W("oasis"), W("oat"), W("ocean"), W("onyx"), W("orbit"), W("orchid"), W("oriole"), W("osprey"),
    W("otter"), W("owl"), W("oyster"), W("paddle"), W("palm"), W("panda"), W("paper"), W("parrot"),
    W("peak"), W("pear"), W("pebble"), W("pepper"), W("petal"), W("piano"), W("pigeon"),
    W("pillow"), W("planet"), W("plover"), W("pocket"), W("pond"), W("poplar"), W("poppy"),
    W("prism"), W("puffin"), W("quail"), W("quartz"), W("quill"), W("rabbit"), W("radish"),
    W("rain"), W("raven"), W("reef"), W("ribbon"), W("ridge"), W("river"), W("robin"), W("rocket"),
    W("rose"), W("salmon"), W("sandal"), W("seal"), W("shell"), W("shore"), W("shrew"), W("sloth"),
    W("snail"), W("spruce"), W("star"), W("stone"), W("stork"), W("stream"), W("swan"),
    W("teapot"), W("tiger"), W("timber"), W("toucan"), W("trail"), W("trout"), W("tundra"),
    W("turtle"), W("valley"), W("violet"), W("violin"), W("wagon"), W("walnut"), W("walrus"),
    W("whale"), W("wheat"), W("willow"), W("window"), W("wombat"), W("wren"), W("yarrow"),
    W("zebra"), W("zephyr"), W("zinnia"),
};

struct adit_bytes adit_word_first(uint8_t index)
{
    return ADIT_AT(firsts, index);
}

struct adit_bytes adit_word_second(uint8_t index)
{
    return ADIT_AT(seconds, index);
}
