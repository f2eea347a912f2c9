# One line of a dialogue is one line here.
# ruff: noqa: E501
# fmt: off
from .script import script

SCRIPTS = [
    script(
        "whatsapp", "Lucía Romero", "6d 10:02", "Lucía Romero",
        """
        C Hola, hice un pedido el lunes pasado y todavía no me ha llegado nada. Es el BD-20431.
        A +5 Hola, Lucía. Lo miro ahora mismo.
        # envíos
        A +4 El paquete está en la aduana de Madrid desde el viernes. Falta un documento nuestro; lo envío hoy.
        C ¿Y cuánto puede tardar?
        A Normalmente dos días laborables después de entregar el papel. Te aviso en cuanto salga.
        C Vale, gracias
        A +2d Ya ha salido de la aduana y va en reparto mañana por la mañana.
        C +20h ¡Llegó! Muchas gracias, Ana
        = resolved | entregado
        """,
        agent="ana", queue="español", category="support",
    ),
    script(
        "email", "Hotel Mirador", "6d 12:15", "Factura con retraso",
        """
        C Buenos días: no hemos recibido la factura de abril y cerramos el trimestre el viernes. ¿Pueden enviarla?
        A +38 Buenos días. La factura BD-F-0412 salió el día 2, pero a la dirección antigua. La reenvío a esta.
        # factura
        C +1h Recibida. Por favor, cambien la dirección de administración a esta misma para las siguientes.
        A +12 Cambiada. Las próximas llegarán aquí el primer día laborable del mes.
        = closed | factura reenviada
        """,
        agent="ana", queue="español", category="billing",
    ),
    script(
        "website", "Javier Molina", "5d 09:45", "Cambiar el molido de mi suscripción",
        """
        C Hola, quiero cambiar el molido de espresso a filtro a partir del próximo envío
        B Se cambia en Cuenta → Suscripción → Molido. El cambio vale para las cajas que aún no están preparadas. (Fuente: Tu suscripción)
        C Hecho. ¿La próxima ya va con filtro?
        B No tengo respuesta a eso en lo que sé. Paso la conversación a una compañera.
        A +6 Hola, Javier. Sí, la del día 9 ya sale molida para filtro.
        # suscripción
        C Genial, gracias
        = resolved
        """,
        agent="ana", queue="español",
    ),
    script(
        "whatsapp", "Carmen Ibáñez", "5d 11:30", "Carmen Ibáñez",
        """
        C Buenas, pedí la camiseta en la M y me queda enorme. ¿Se puede cambiar por la S?
        A +9 Claro que sí, Carmen. ¿Está sin usar y con la etiqueta?
        # talla
        C Sí, solo me la he probado
        A Entonces te mando una etiqueta de devolución y preparo la S en cuanto el transportista la escanee.
        C ¿El cambio tiene algún coste?
        A Ninguno. El primer cambio de talla va por nuestra cuenta.
        C Perfecto, la dejo mañana en el punto de recogida
        C +1d Ya está entregada
        A +15 Escaneada. La S sale esta tarde, te llega el enlace de seguimiento por aquí.
        = waiting_for_customer | cambio en camino
        """,
        agent="ana", queue="español", category="support",
    ),
    script(
        "telegram", "Diego Fuentes", "5d 17:10", "No puedo entrar en mi cuenta",
        """
        C no me deja entrar, dice cuenta bloqueada
        A +7 Hola, Diego. Se bloquea quince minutos después de cinco intentos fallidos. ¿Has probado con "olvidé mi contraseña"?
        # acceso
        C es que no me acuerdo con qué correo me registré
        A Con tu número encuentro uno que empieza por d y termina en @example.com. ¿Te suena?
        C siii el de la universidad
        A Te acabo de enviar el enlace a ese correo. Vale durante una hora.
        C listo, gracias!
        = resolved
        """,
        agent="ana", queue="español",
    ),
    script(
        "whatsapp", "Marta Giménez", "4d 09:05", "Marta Giménez",
        """
        C Me han cobrado 12 € de aduana por un paquete que según vuestra web llevaba todo incluido. Quiero que me los devolváis.
        A +8 Hola, Marta. Tienes razón: en pedidos de menos de 150 € la aduana la pagamos nosotros. ¿Me mandas una foto del recibo?
        # reembolso
        C [image] recibo-aduana.jpg | El recibo del cartero
        A +6 Gracias. Te devuelvo los 12 € a la misma tarjeta, tarda entre tres y cinco días.
        N El transportista cobra dos veces en la zona 28. Avisar a Daniel: es la cuarta esta semana.
        C Gracias. ¿Pasará otra vez?
        A Estamos reclamándolo al transportista para que no vuelva a pasar.
        = resolved | devueltos 12 €
        C +2d Hola, siguen sin aparecer los 12 € en mi cuenta
        A +23 Hola, Marta. El banco los tiene desde ayer; con la referencia BIJI DAUN REFUND te aparecerán hoy o mañana.
        C Ok, espero entonces
        = waiting_for_customer | el banco lo abona
        """,
        agent="ana", queue="español", category="refund",
    ),
    script(
        "api", "Cafetería La Esquina", "4d 13:20", "Pedido mensual automático",
        """
        C Nuestro sistema intenta crear el pedido mensual y recibe un error de existencias en Kerinci 1 kg.
        A +19 Hola. De Kerinci quedan bolsas de 500 g. ¿Les sirven dos por cada una de kilo, al mismo precio?
        # mayorista
        C Sí, sin problema. ¿Cambiamos el código en el pedido?
        A Usen KER-500 con el doble de cantidad; el precio por kilo ya está puesto en su cuenta.
        C +2h Pedido aceptado. Gracias.
        = closed | pedido aceptado
        """,
        agent="ana", queue="español", category="sales",
    ),
    script(
        "website", "Javier Molina", "4d 18:05", "¿Cuánta cafeína tiene el té blanco?",
        """
        C ¿Cuánta cafeína tiene el té blanco de Gambung?
        B Entre 15 y 25 mg por taza, más o menos un cuarto de un café. (Fuente: Nuestros tés)
        C ¿Puedo tomarlo por la noche?
        B No puedo aconsejar sobre salud. Si quieres algo sin cafeína, la infusión de jengibre no tiene. (Fuente: Nuestros tés)
        C 👍
        = resolved | respondido por el asistente
        """,
    ),
    script(
        "whatsapp", "Andrés Paredes", "3d 10:35", "Andrés Paredes",
        """
        C Buenos días, el café que me llegó está tostado hace cuatro meses. En la web pone "recién tostado".
        C [image] fecha-de-tueste.jpg
        A +10 Buenos días, Andrés. Eso no debió salir del almacén, lo siento mucho. ¿Cuál es el lote, debajo de la fecha?
        # calidad
        C L-0091
        N Lote L-0091 tenía que estar retirado. Pido a Bandung que revisen lo que queda en la estantería.
        A Gracias. Te envío hoy dos bolsas del tueste de esta semana, y quédate con la otra.
        C Así da gusto. Gracias
        = resolved | reposición enviada
        """,
        agent="ana", queue="español", category="support",
    ),
    script(
        "email", "Beatriz Solano", "3d 12:50", "Darme de baja",
        """
        C Hola, quiero cancelar mi suscripción. No es por el café, es que me mudo.
        A +27 Hola, Beatriz. Cancelada desde hoy, sin ningún cargo más. ¿Te mudas a un sitio al que también enviamos?
        # suscripción, baja
        C +2h A Oporto
        A A Oporto enviamos igual. Si un día quieres volver, tu cuenta y tus preferencias siguen guardadas.
        C +1h Qué bien saberlo. ¡Seguro que vuelvo!
        = closed | baja voluntaria
        """,
        agent="ana", queue="español",
    ),
    script(
        "telegram", "Rocío Navarro", "2d 10:15", "Regalo para mi madre",
        """
        C Hola! busco un regalo para mi madre, le gusta el té pero no el café. Hasta 30 €
        A +4 ¡Hola, Rocío! La caja "Tres jardines" tiene tres tés de hoja entera y cuesta 27 €. ¿Quieres que lleve una tarjeta?
        # ventas
        C sii. Que ponga: Feliz cumple, mamá. Te quiero, Rocío
        A Apuntado. Aquí tienes el carrito listo: https://example.com/basket/9XK1
        C pagado ✨
        A Sale mañana y llega el jueves.
        = resolved
        """,
        agent="ana", queue="español", category="sales",
    ),
    script(
        "whatsapp", "Pablo Herrera", "2d 16:45", "Pablo Herrera",
        """
        C Necesito cambiar la dirección del pedido BD-20541, me equivoqué de portal
        B Puedes cambiarla en Pedidos → BD-20541 → Dirección mientras el pedido esté "en preparación". (Fuente: Cambiar un pedido)
        C ya pone "enviado"
        B Si ya está enviado, un compañero puede pedirlo al transportista. Le paso la conversación.
        A +6 Hola, Pablo. ¿Qué portal es el correcto?
        # envíos
        C El 14, no el 41
        A Pedido el cambio al transportista. Suelen confirmarlo en unas horas.
        C +3h ¿Se sabe algo?
        A +12 Confirmado, va al 14. Llega mañana.
        = resolved
        """,
        agent="ana", queue="español", category="support",
    ),
    script(
        "website", "Elena Vidal", "1d 09:25", "Alergia a los frutos secos",
        """
        C Hola, ¿vuestros cafés pueden llevar trazas de frutos secos? Mi hijo es alérgico.
        A +12 Hola, Elena. En la misma nave envasamos anacardos. El café va en otra línea, pero no podemos garantizar que no haya trazas.
        # alergias, urgente
        C ¿Y los tés?
        A Los tés se envasan en otro edificio, sin frutos secos. Aun así pregunto a calidad y te lo confirmo por escrito.
        = escalated | pregunta de seguridad alimentaria
        @ daniel
        N Calidad: el edificio del té no maneja frutos secos desde 2019. Piden que se lo mandemos con su certificado.
        S +3h Hola, Elena, soy Daniel. Los tés se envasan en un edificio sin frutos secos. ¿A qué correo te mando el certificado?
        C elena.vidal@example.com. Muchas gracias por tomároslo en serio
        S Enviado. Para cualquier duda, responde a ese mismo correo.
        = resolved | certificado enviado
        """,
        agent="ana", queue="español",
    ),
    script(
        "email", "Gestoría Campos", "1d 11:40", "Datos para el modelo 347",
        """
        C Buenos días, necesitamos el total facturado a nuestro cliente, Panadería Arroyo, durante el año pasado.
        A +1h Buenos días. Por protección de datos necesito que lo pida el propio cliente, o una autorización firmada. ¿La tienen?
        # factura
        C +4h Adjuntaremos la autorización mañana.
        = waiting_for_customer | falta la autorización
        """,
        agent="ana", queue="español", category="billing",
    ),
    script(
        "whatsapp", "Nuria Sanz", "1h", "Nuria Sanz",
        """
        C Hola, el repartidor me ha dejado el paquete abierto y falta una de las tres bolsas
        C [image] caja-abierta.jpg | Así estaba en la puerta
        A +7 Hola, Nuria, qué mal. ¿Qué bolsa falta?
        # envíos, reclamación
        C La de Toraja, la más cara claro
        A Te mando otra hoy mismo y reclamo yo al transportista. ¿Me confirmas que la caja venía sin precinto?
        C Sí, sin precinto, la cinta estaba cortada
        = escalated | paquete abierto en el reparto
        """,
        agent="ana", queue="español", category="support",
    ),
    script(
        "whatsapp", "Sergio Luna", "31m", "Sergio Luna",
        """
        C buenas, teneis descuento para oficinas? somos 25
        B A partir de 5 kg al mes hay un 12 % para oficinas. Un compañero prepara la oferta. (Fuente: Oficinas)
        C pues serian unos 8 kg, me pasais precio?
        """,
        queue="español", category="sales",
    ),
    script(
        "telegram", "Alba Torres", "9m", "¿Dónde está mi pedido?",
        """
        C Holaa, mi pedido BD-20561 pone "en tránsito" desde el martes
        C es para un cumple el sábado 😬
        """,
        queue="español",
    ),
    script(
        "website", "Javier Molina", "18m", "Cobro de una caja saltada",
        """
        C Hola, salté la caja de este mes y me la habéis cobrado igual, 24,90 €
        A +5 Hola, Javier. La saltaste el día 6 y el cierre es el 5, por eso entró. Pero la caja aún no ha salido: ¿la anulo y te devuelvo el importe?
        # suscripción, reembolso
        C Sí, por favor
        A +3 Anulada, y la devolución está hecha. Te llega entre tres y cinco días.
        C Gracias por la rapidez. ¿Podéis avisar por correo antes del cierre?
        """,
        agent="ana", queue="español", category="refund",
    ),
    script(
        "api", "Restaurante Olivar", "4h", "Cambio de horario de entrega",
        """
        C Desde la semana que viene solo podemos recibir mercancía de 7 a 9. ¿Es posible?
        A +13 Buenos días. De 8 a 9 seguro; de 7 a 8 depende de la ruta. Lo pregunto y les digo hoy.
        # mayorista
        N La ruta 3 sale a las 6:30, podría ser la primera parada. Espero respuesta del almacén.
        C Perfecto, quedamos a la espera
        """,
        agent="ana", queue="español", category="sales",
    ),
]
