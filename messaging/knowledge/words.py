"""The words of a question that say what it is about."""

import re

from ..search.text import stemmed, stems, words

#: Characters of a question that are looked at, and of its words the first so many.
LOOKED_AT, MOST = 2000, 40

#: Words that tell nothing of what is asked, folded: of grammar, of politeness, of asking as such.
_NOISE = {
    "en": """
        a about again ain all also am an and any anymore anyone anything are aren arent as at b back be been
        before being but by c can cannot cant come could couldn couldnt d did didn didnt do does doesn doesnt
        doing don done dont e either else ever every for from get gets getting give go going gonna got had
        hadn has hasn hasnt have haven havent having he hello help her here hers hey hi his how however i if
        ill im in instead into is isn isnt it its ive just know let like ll look m make many may maybe me mean
        means might mine more much must my myself need needs no not nothing now of off ok okay on one or other
        our ours out over own please pls plz possible problem put question re really s said say says see shall
        she should so some somebody someone something sorry still such sure t take tell than thank thanks that
        thats the their them then there theres these they thing things think this those though thx till time
        times to too u under until up ur us use ve very want wanna wants was wasn we well were weren what
        whats when where which while who whom why will wish with within without won wont would wouldn wouldnt
        x y yes yet you your yours yourself""",
    "es": """
        a ahi ahora al algo alguien algun alguna algunas alguno algunos alla alli antes aqui asi aun aunque
        ayuda bien buen buena buenas buenos cada como con cosa cosas cual cuales cualquier cuando cuanta
        cuantas cuanto cuantos da dan dar de debe debo decir deja del desde despues dias dice donde dos e el
        ella ellas ellos en era eres es esa esas ese eso esos esta estan estas este esto estos estoy fue
        gracias gustaria ha haber hace hacen hacer hacia han has hasta hay he hola hoy la las le les lo los
        mas me mi mis mucha mucho muchos muy nada ni no nos nosotros nuestra nuestro o os otra otro para pero
        poco podeis podemos poder podria podrian por porque posible pregunta problema puede pueden puedo pues
        q que quien quiere quiero quisiera saber se sea ser si sido sin sobre solo somos son soy su sus tal
        tambien tan tanto te tengo ti tiene tienen tienes toda todas todo todos tu tus un una unas uno unos
        usted ustedes va vamos van vosotros voy y ya yo""",
    "id": """
        ada adalah agar aja akan aku anda apa apakah atau bagaimana bahwa bantu belum berapa bisa boleh buat
        bukan dalam dan dapat dari di dimana dong dulu gak gimana halo hanya hari harus hi ia ingin ini itu
        jadi jika juga kak kalau kami kamu kan kapan karena ke kenapa kita kok lagi lah lalu lebih mana masih
        mau maaf mengapa mohon nah nggak nya oh ok oleh pada pak bu permisi pernah punya saja sama sampai
        sangat saya sebagai sedang selamat semua seperti siapa sih sudah supaya tapi tanya tentang terima
        kasih tetapi tidak tolong udah untuk ya yang""",
    "pt": """
        a agora ai ainda ajuda algo alguem algum alguma ao aos aqui as assim ate bem boa bom cada com como da
        das de depois do dos dia e ela elas ele eles em entao era essa esse esta estao estar estas este estou
        eu faz fazer foi ha isso isto ja la lhe mais mas me meu meus minha minhas muito na nao nas nem nenhum
        no nos nossa nosso num numa o obrigada obrigado oi ola onde os ou outra outro para pela pelo por
        porque posso pode podem poderia preciso qual quais qualquer quando quanto quantos que quem quero
        queria saber se seja sem ser seu seus sim so sobre sou sua suas tambem tanto te tem tenho ter teu todo
        todos tu tua tudo um uma voce voces vos""",
}
NOISE = {language: frozenset(text.split()) for language, text in _NOISE.items()}


#: "e-mail" is found as "email" too.
_JOINED = re.compile(r"\b(\w{1,40})-(\w{1,40})\b")


def stems_of(text: str, language: str) -> list[str]:
    """Of what an article says."""
    joined = " ".join(one + other for one, other in _JOINED.findall(text))
    return stems(f"{text}\n{joined}" if joined else text, language)


def words_of_question(text: str) -> list[str]:
    """All of them, in their order, each once."""
    return list(dict.fromkeys(words(text[:LOOKED_AT])))


def telling(found: list[str], language: str) -> list[str]:
    """The stems that say what it is about, each once; where there are none (a greeting, say), those of all words."""
    noise = NOISE.get(language, frozenset())
    said = [word for word in found if word not in noise] or found
    return list(dict.fromkeys(stemmed(said, language)))[:MOST]


def spoken_in(found: list[str], language: str) -> int:
    """How many of the words are of this language's grammar."""
    return len(NOISE.get(language, frozenset()).intersection(found))
